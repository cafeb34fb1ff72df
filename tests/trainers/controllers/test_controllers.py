"""Controllers against the numbers of their papers and codes."""

import json

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.controllers import (
    CONTROLLERS,
    AdaptiveKL,
    ChordMu,
    Goodhart,
    Lagrange,
    LaserTargets,
    TurnBudget,
    controller,
    mixed,
)
from agentgym.trainers.controllers.feedback import monitor_band
from tests.trainers.batches import near
from tests.trainers.episodes import episode


def test_chord_mu():
    mu = ChordMu(warmup=200, decay=400, peak=0.5, valley=0.02)
    assert [mu.at(step) for step in (0, 100, 200, 300, 400, 600)] == near(0, 0.25, 0.5, 0.429706, 0.26, 0.02)
    assert mu.at(10_000) == 0.02
    assert [ChordMu()(step)["mu"] for step in (0, 100, 200)] == near(0.9, 0.475, 0.05)


def test_adaptive_kl_holds_to_its_target():
    control = AdaptiveKL(target=0.1, beta=1.0)
    assert control(0, {"kl": 0.1})["beta"] == 1
    assert control(1, {"kl": 0.11})["beta"] == pytest.approx(1.01)
    assert control(2, {"kl": 99.0})["beta"] == pytest.approx(1.01 * 1.02)
    assert control(3, {"kl": 0.0})["beta"] == pytest.approx(1.01 * 1.02 * 0.98)
    with pytest.raises(UsageError, match="AdaptiveKL needs the statistic 'kl': there are loss"):
        control(4, {"loss": 1.0})


def test_turns_are_annealed():
    budget = TurnBudget(every=2)
    limits = [budget(step, {"turns": turns})["max_turns"] for step, turns in enumerate((7.0, 9.0, 19.0, 1.0))]
    assert limits == [30, 19, 19, 14.5]
    paper = TurnBudget()
    assert [paper(step, {"turns": 8.0})["max_turns"] for step in range(100)][98:] == [30, 19]


LENGTHS = [2000] * 3 + [3000] * 2 + [4000] * 3 + [5000] * 2


def test_laser_targets_of_a_band():
    targets = LaserTargets(2048, 5120)
    assert [targets.target(band, LENGTHS, 8) for band in ("high", "medium", "low")] == [2048, 3072, 5120]
    assert [targets.target("medium", LENGTHS, n) for n in (11, 12)] == [3072, 2048]
    assert [targets.target("high", LENGTHS, n) for n in (5, 6)] == [3072, 2048]
    assert targets.target("low", [9000, 100], 8) == 5120
    assert targets.target("medium", [100], 2) == 5120  # a group of 2 expects no answer of this band


def test_laser_targets_are_measured_by_band():
    high = [episode(1, n, "high") for n in LENGTHS]
    low = [episode(0, n, "low") for n in LENGTHS]
    targets = LaserTargets(2048, 5120)
    assert targets.targets == {"high": 5120, "medium": 5120, "low": 5120}
    lost = [episode(status="failed", group="high")] * 9
    assert targets.measure([*high, *lost, *low], 8) == {"high": 2048, "medium": 5120, "low": 5120}
    assert [monitor_band(x / 3) for x in range(4)] == ["low", "low", "medium", "high"]


def test_lagrange():
    control = Lagrange({"a": 0.7, "b": 0.6}, {"a": 0.5, "b": -0.2}, momentum=0.0)
    weights = control.weights()
    assert [weights["a"], weights["b"]] == near(0.622459, 0.450166)
    advantages = {"kl": [[0.3]], "a": [[1.0]], "b": [[-0.5]]}
    assert mixed(weights, advantages)[0] == near(0.675589)
    control(0, {"a": 0.9, "b": 0.4})
    assert list(control.multipliers.values()) == near(0.499530, -0.199505)


def test_lagrange_in_its_other_forms():
    free = Lagrange({"a": 0.5}, lr=1.0, momentum=0.0, squash="none")
    assert free(0, {"a": 0.2}) == {"kl": pytest.approx(0.7), "a": pytest.approx(0.3)}
    assert free(1, {"a": 1.5})["a"] == 0
    equal = Lagrange({"a": 0.5}, lr=1.0, momentum=0.0, squash="tanh")
    assert equal(0, {"a": 1.5})["a"] == pytest.approx(-0.761594, abs=1e-6)
    heavy = Lagrange({"a": 0.5}, lr=1.0, momentum=0.5, squash="none", multipliers={"a": 10.0})
    assert [heavy(step, {"a": 1.5})["a"] for step in range(3)] == [9, 7.5, 5.75]
    with pytest.raises(UsageError, match="name no component so"):
        Lagrange({"kl": 0.1})
    with pytest.raises(UsageError, match=r"weights for \['a', 'kl'\], but advantages for \['a'\]"):
        mixed(free.weights(), {"a": [[1.0]]})


def stops(proxies, truths, **options) -> list[float]:
    rule = Goodhart(**options)
    pairs = zip(proxies, truths, strict=True)
    return [rule(step, {"proxy": p, "truth": t})["stop"] for step, (p, t) in enumerate(pairs)]


def test_goodhart_stops_when_the_proxy_leaves_the_truth_behind():
    rule = Goodhart(patience=2)
    for step, (proxy, truth) in enumerate([(1.0, 0.3), (1.5, 0.5), (1.8, 0.4), (2.0, 0.3)]):
        answer = rule(step, {"proxy": proxy, "truth": truth})
    assert answer == {"stop": 1.0, "threshold": 1.5}
    assert (rule.best, rule.best_step) == (0.5, 1)


def test_goodhart_waits():
    assert stops([1, 2, 3, 4, 5], [0.5, 0.4, 0.6, 0.5, 0.5], patience=3) == [0] * 5  # a new best starts anew
    assert stops([5, 4, 3, 2, 1], [0.5, 0.4, 0.3, 0.2, 0.1], patience=2) == [0] * 5  # both fall: no farming
    assert stops([1, 2, 3, 4, 5], [0.5, 0.49, 0.49, 0.49, 0.3], patience=2, tolerance=0.05) == [0] * 5
    assert stops([1, 2, 3], [0.5, 0.4, 0.4], patience=2) == [0, 0, 1]


def test_goodhart_may_look_at_means_of_several_batches():
    watch = Goodhart(patience=1, every=2)
    said = [
        watch(step, {"proxy": proxy, "truth": truth})
        for step, (proxy, truth) in enumerate(zip(PROXY, TRUTH, strict=True))
    ]
    assert [each["stop"] for each in said] == [0, 0, 0, 1]
    assert (watch.best, watch.threshold, watch.best_step) == (0.75, 1.5, 1)


PROXY, TRUTH = (1.0, 2.0, 3.0, 4.0), (1.0, 0.5, 0.5, 0.0)


def test_when_laser_targets_are_due():
    targets = LaserTargets(1, 2, every=3)
    assert [targets.due(step) for step in (0, 1, 2, 3, 3, 5, 9)] == [True, False, False, True, False, False, True]


@pytest.mark.parametrize("name", CONTROLLERS)
def test_what_a_controller_remembers_is_plain(name):
    options = {"adaptive_kl": {"target": 1.0, "beta": 0.5}, "laser_targets": {"lower": 1, "upper": 9}}
    options["lagrange"] = {"thresholds": {"a": 0.5}}
    one, other = (controller(name, **options.get(name, {})) for _ in range(2))
    statistics = {"kl": 3.0, "turns": 2.0, "a": 1.0, "proxy": 1.0, "truth": 1.0}
    if name != "laser_targets":
        one(0, statistics)
    else:
        assert one.due(4)
    other.restore(json.loads(json.dumps(one.state())))
    assert other == one

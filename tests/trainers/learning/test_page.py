"""The page says what was seen: shapes that appeared and those that did not."""

import pytest

pytest.importorskip("torch")

from agentgym.errors import UsageError
from agentgym.trainers.learning.experiments import EXPERIMENTS, SHAPES, chosen
from agentgym.trainers.learning.page import appeared, page
from agentgym.trainers.learning.plots import draw, smooth
from agentgym.trainers.learning.trial import Measured, Outcome


def outcomes(shares, tokens=None, experiment="lookup", seeds=(0, 1, 2)):
    """Of 100 held-out episodes an arm and seed, `shares` say how many are right."""
    return [
        Outcome(
            experiment=experiment,
            arm=arm,
            seed=seed,
            held_out=Measured(
                success=[1.0] * share + [0.0] * (100 - share),
                tokens=[(tokens or {}).get(arm, 3)] * 100,
                process=[0.0] * 100,
            ),
            curve={} if arm == "warm start" else {"success": [0.1, 0.2], "tokens": [3.0, 4.0]},
            cpu_s=2.0,
        )
        for seed in seeds
        for arm, share in shares.items()
    ]


GOOD = {"warm start": 20, "GRPO": 97, "turn-level": 95, "PPO": 92, "GRPO, shuffled": 5}


def test_all_shapes_are_told_to_have_appeared():
    text = page(outcomes(GOOD))
    assert appeared(outcomes(GOOD))
    assert "not** appear" not in text
    assert "| GRPO | 0.97 [0.92, 0.99] |" in text
    assert "![lookup](lookup.png)" in text


@pytest.mark.parametrize(("arm", "share", "told"), [("PPO", 80, "PPO reaches .9"), ("GRPO, shuffled", 60, "shuffled")])
def test_one_that_did_not_is_told(arm, share, told):
    found = outcomes({**GOOD, arm: share})
    assert not appeared(found)
    (line,) = [line for line in page(found).splitlines() if "not** appear" in line]
    assert told in line


def test_shorter_but_worse_is_not_without_loss():
    shares = {"warm start": 60, "success only": 90, "LASER": 70}
    found = outcomes(shares, {"success only": 20, "LASER": 9}, "chain")
    lines = [line for line in page(found).splitlines() if line.startswith("- ")]
    assert ["not** appear" in line for line in lines] == [False, True]


def test_every_shape_is_of_an_experiment_and_its_arms():
    for shape in SHAPES:
        arms = {"warm start": 50, **{arm.name: 50 for arm in EXPERIMENTS[shape.experiment].arms}}
        shape.of(outcomes(arms, experiment=shape.experiment))


def test_a_plot_is_written_for_an_experiment(tmp_path):
    assert draw("chain", outcomes(GOOD, experiment="chain"), tmp_path).stat().st_size > 5000
    assert smooth([0, 0, 0, 0, 5, 5]) == [0, 0, 0, 0, 1, 2]


def test_an_unknown_experiment_is_named():
    with pytest.raises(UsageError, match="no experiment 'guess': there are lookup"):
        chosen(["guess"])

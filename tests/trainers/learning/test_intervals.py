"""Intervals over seeds and episodes: against what can be worked out by hand, and what they refuse."""

from random import Random
from statistics import fmean, stdev

import pytest

pytest.importorskip("torch")

from agentgym.errors import UsageError
from agentgym.trainers.learning.intervals import bootstrap, differences
from agentgym.trainers.learning.trial import Measured, Outcome


def outcome(arm, seed, success, tokens=None, experiment="lookup", curve=None):
    held_out = Measured(success=success, tokens=tokens or [3] * len(success), process=[0.0] * len(success))
    return Outcome(experiment=experiment, arm=arm, seed=seed, held_out=held_out, curve=curve or {}, cpu_s=1.0)


def test_what_does_not_vary_has_no_width():
    found = bootstrap([[1.0] * 5, [1.0] * 5])
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0)


def test_of_one_seed_it_is_the_interval_of_a_mean():
    rng = Random(0)
    values = [rng.random() for _ in range(400)]
    found, half = bootstrap([values]), 1.96 * stdev(values) / 20
    assert found.mean == pytest.approx(fmean(values))
    assert found.low == pytest.approx(found.mean - half, abs=half / 5)
    assert found.high == pytest.approx(found.mean + half, abs=half / 5)


def test_seeds_that_differ_widen_it():
    alike, apart = bootstrap([[0.0, 1.0] * 50] * 3), bootstrap([[0.0] * 100, [0.5] * 100, [1.0] * 100])
    assert alike.mean == apart.mean == 0.5
    assert apart.high - apart.low > 2 * (alike.high - alike.low)
    assert bootstrap([[0.0, 1.0] * 50] * 3) == alike


def test_differences_are_paired_by_episode():
    rng = Random(1)
    before = [float(rng.random() < 0.5) for _ in range(50)]
    outcomes = [outcome("a", 0, before), outcome("b", 0, [value + 0.25 for value in before])]
    found = differences(outcomes, "b", "a", "success")
    assert (found.low, found.high) == (0.25, 0.25)


@pytest.mark.parametrize("by_seed", [[], [[1.0], []]])
def test_nothing_has_no_interval(by_seed):
    with pytest.raises(UsageError, match="no interval"):
        bootstrap(by_seed)

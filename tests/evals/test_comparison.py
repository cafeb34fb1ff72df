"""The paired bootstrap: sees what is there, not what is not, and the same each time."""

from __future__ import annotations

from random import Random

import pytest

from agentgym import UsageError
from agentgym.evals.comparison import compare


def test_a_clear_gain_is_seen() -> None:
    found = compare({f"t{i}": [0.0] for i in range(40)}, {f"t{i}": [float(i % 2)] for i in range(40)})
    assert found.difference == 0.5
    assert found.significant
    assert found.low == pytest.approx(0.35, abs=0.05)
    assert found.high == pytest.approx(0.65, abs=0.05)
    assert found.p_value < 0.001
    assert (found.better, found.worse) == (20, 0)


def test_pairing_sees_a_small_gain_that_two_unpaired_intervals_would_not() -> None:
    a = {f"t{i}": [float(i < 50)] for i in range(100)}
    b = {f"t{i}": [float(i < 58)] for i in range(100)}
    assert compare(a, b).significant


def test_equal_runs_do_not_differ() -> None:
    runs = {f"t{i}": [float(i % 3 == 0)] for i in range(30)}
    found = compare(runs, runs)
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert not found.significant


def test_under_no_difference_it_is_seldom_significant() -> None:
    random = Random(7)
    false_alarms = 0
    for trial in range(100):
        a, b = ({f"t{i}": [float(random.random() < 0.4)] for i in range(60)} for _ in range(2))
        false_alarms += compare(a, b, resamples=400, seed=trial).significant
    assert false_alarms <= 12


def test_it_is_seeded() -> None:
    random = Random(1)
    a, b = ({f"t{i}": [random.random()] for i in range(20)} for _ in range(2))
    assert compare(a, b, seed=3) == compare(a, b, seed=3)
    assert compare(a, b, seed=3) != compare(a, b, seed=4)


def test_only_common_tasks_count() -> None:
    found = compare({"x": [1.0], "only": [1.0]}, {"x": [0.0], "y": [1.0], "z": [1.0]})
    assert (found.tasks, found.a, found.b, found.only_a, found.only_b) == (1, 1.0, 0.0, 1, 2)


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(UsageError, match="no scored task in common"):
        compare({"x": [1.0]}, {"y": [1.0]})

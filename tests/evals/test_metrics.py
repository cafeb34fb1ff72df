"""Metrics against numbers worked out elsewhere."""

from __future__ import annotations

import pytest

from agentgym import EpisodeKey, RewardRecord, Trajectory, UsageError
from agentgym.evals.metrics import pass_at_k, rate, summarise, wilson
from agentgym.types import ChannelRecord


def episode(task: str, sample: int, success: float | None, status: str = "scored") -> Trajectory:
    record = None
    if success is not None:
        channel = ChannelRecord("right", "outcome", success, 1.0, "open", (), success)
        record = RewardRecord(success, [success], success, [channel])
    key = EpisodeKey("run", task, sample)
    return Trajectory(key, "toy/x-v0", "", 0, task, [], status, end="done", record=record)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # R: binom::binom.confint(x, n, methods = "wilson")
        (5, 10, 0.236593, 0.763407),
        (1, 10, 0.017876, 0.404150),
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (81, 263, 0.255289, 0.366184),
    ],
)
def test_wilson(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=2e-4)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_rate(successes: int, n: int) -> None:
    with pytest.raises(UsageError):
        wilson(successes, n)


def test_rate_of_nothing_is_not_zero() -> None:
    assert rate([]) is None


@pytest.mark.parametrize(
    ("n", "passed", "k", "expected"),
    [(4, 1, 1, 0.25), (4, 1, 2, 0.5), (4, 1, 4, 1.0), (4, 0, 4, 0.0), (10, 3, 5, 1 - 21 / 252), (3, 3, 1, 1.0)],
)
def test_pass_at_k(n: int, passed: int, k: int, expected: float) -> None:
    assert pass_at_k(n, passed, k) == pytest.approx(expected)


def test_pass_at_k_needs_k_samples() -> None:
    with pytest.raises(UsageError, match="pass@3"):
        pass_at_k(2, 1, 3)


def test_failed_and_masked_episodes_enter_no_rate() -> None:
    summary = summarise([episode("a", 0, 1.0), episode("b", 0, None, "failed"), episode("c", 0, None, "masked")])
    assert summary.success is not None
    assert (summary.success.mean, summary.success.n) == (1.0, 1)
    assert (summary.episodes, summary.scored, summary.masked, summary.failed) == (3, 1, 1, 1)


def test_samples_of_one_task_are_not_independent() -> None:
    summary = summarise([episode("a", i, 1.0) for i in range(4)] + [episode("b", i, float(i == 0)) for i in range(4)])
    assert summary.success is not None
    assert (summary.success.mean, summary.success.n) == (0.625, 2)
    assert summary.pass_at == {1: 0.625, 2: 0.75, 4: 1.0}
    assert summary.channels["right"].mean == 0.625


def test_no_episodes_have_no_numbers() -> None:
    summary = summarise([])
    assert (summary.success, summary.reward, summary.pass_at) == (None, None, {})

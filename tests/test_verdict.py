"""Verdicts: tried again when nobody's fault, and never a 0 for want of one."""

from __future__ import annotations

from typing import Any

import pytest

from agentgym import (
    Action,
    Channel,
    Evidence,
    Info,
    Observation,
    Rubric,
    Runtime,
    SandboxError,
    Score,
    Turn,
    VerifierError,
)
from agentgym import verdict as verdict_module
from agentgym.verdict import judge
from tests.toys import RUBRIC, CounterVerifier, FakeFlakyVerifier, FakeSilentVerifier, task


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that does not tick: the back-off waits that were asked for."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(verdict_module.asyncio, "sleep", sleep)
    return waited


def evidence(*scores: Score, value: str = "3") -> Evidence:
    turn = Turn(Observation(), Action("x"), 0.0, Info(scores=scores))
    return Evidence(task(), {"value": value}, [turn], "submitted")


async def test_process_scores_come_before_those_of_the_verifier() -> None:
    verdict = await judge(evidence(Score("progress", 0.5, 0)), CounterVerifier(), RUBRIC, Runtime())
    assert [score.channel for score in verdict.scores] == ["progress", "outcome"]
    assert verdict.record.total == pytest.approx(1.5)


async def test_a_wrong_candidate_is_scored_zero_with_a_reason() -> None:
    verdict = await judge(evidence(value="4"), CounterVerifier(), RUBRIC, Runtime())
    assert (verdict.record.success, verdict.record.valid) == (0.0, True)
    assert verdict.record.channels[0].reasons == ("wrong",)


@pytest.mark.parametrize("error", [VerifierError("busy"), SandboxError("no box")])
async def test_a_verdict_is_tried_again_with_longer_waits(error: Exception, waits: list[float]) -> None:
    verifier = FakeFlakyVerifier(2, error)
    verdict = await judge(evidence(), verifier, RUBRIC, Runtime(), retries=2)
    assert verdict.record.success == 1.0
    assert verifier.calls == 3
    assert waits == sorted(set(waits))
    assert len(waits) == 2


async def test_after_the_retries_it_is_a_verifier_error_with_the_cause(waits: list[float]) -> None:
    verifier = FakeFlakyVerifier(99, SandboxError("the daemon is gone"))
    with pytest.raises(VerifierError, match="no verdict after 3 attempts: the daemon is gone"):
        await judge(evidence(), verifier, RUBRIC, Runtime(), retries=2)
    assert verifier.calls == 3
    assert len(waits) == 2  # nobody waits after the last attempt


async def test_a_missing_outcome_is_a_verifier_error_that_names_the_channel() -> None:
    with pytest.raises(VerifierError, match=r"'silent' gave no value for the required channel\(s\) outcome"):
        await judge(evidence(), FakeSilentVerifier(), RUBRIC, Runtime())


async def test_a_bug_of_the_verifier_is_not_retried() -> None:
    verifier = FakeFlakyVerifier(1, ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError):
        await judge(evidence(), verifier, RUBRIC, Runtime())
    assert verifier.calls == 1


async def test_another_rubric_gives_another_record_of_the_same_scores() -> None:
    harsh = Rubric((Channel("outcome", "outcome", weight=10.0), Channel("progress", "metric")))
    scores: Any = (Score("progress", 0.5, 0),)
    verdict = await judge(evidence(*scores), CounterVerifier(), harsh, Runtime())
    assert verdict.record.total == 10.0

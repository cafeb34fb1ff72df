"""From evidence to a RewardRecord: the one place where verdicts are tried, retried and turned into rewards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgym.errors import SandboxError, VerifierError
from agentgym.rewards import Rubric
from agentgym.types import RewardRecord, Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


@dataclass(slots=True)
class Verdict:
    scores: list[Score]
    record: RewardRecord


async def judge(evidence: Evidence, verifier: Verifier, rubric: Rubric, runtime: Runtime, retries: int = 2) -> Verdict:
    """Scores of the turns and of the verifier, and the record they make.

    Raises VerifierError after `retries` further attempts, or if a required outcome is missing: such an episode has
    failed, it has not earned 0.
    """
    outcome = await _verify(evidence, verifier, runtime, retries)
    scores = [score for turn in evidence.turns for score in turn.info.scores] + outcome
    record = rubric(scores, len(evidence.turns))
    if not record.valid:
        lost = ", ".join(channel.name for channel in record.channels if channel.gate == "failed")
        raise VerifierError(f"verifier {verifier.name!r} gave no value for the required channel(s) {lost}")
    return Verdict(scores, record)


async def _verify(evidence: Evidence, verifier: Verifier, runtime: Runtime, retries: int) -> list[Score]:
    for attempt in range(retries + 1):
        try:
            return await verifier.verify(evidence, runtime)
        except (VerifierError, SandboxError) as error:
            last = error
            if attempt < retries:
                await asyncio.sleep(0.1 * 2**attempt)
    raise VerifierError(f"no verdict after {retries + 1} attempts: {last}") from last

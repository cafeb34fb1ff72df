"""PlannerVerifier: the verdict on all stages of an episode, from data alone. What one plan is worth is `verdict`'s.

Held-back details are claims, too: a plan for a traveller who was never asked is not grounded.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar

from agentgym.envs.travel.hard import TRAVELPLANNER
from agentgym.envs.travel.tasks import world_of
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.verdict import Verdict, Weights, judge, missing
from agentgym.errors import VerifierError
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

RELAXED_SLACK = 1.15
"""A plan without the budget may still cost no more than this times the least."""


class PlannerVerifier(Verifier):
    """Scores "plan" (the reward, a mean over stages) and "solved" in {0, 1}, and what they are made of.

    Counts for TravelPlanner's metrics: `tp_*`, see `metrics`.
    """

    name: ClassVar[str] = "travel"
    version: ClassVar[str] = "1"

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or Weights()

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return await asyncio.to_thread(self._verify, evidence)

    def _verify(self, evidence: Evidence) -> list[Score]:
        verdicts = verdicts_of(evidence)
        count = len(verdicts)
        reason = next((said for verdict in verdicts if (said := verdict.reason())), "")[:500]
        every = {
            "plan": [verdict.reward(self.weights) for verdict in verdicts],
            "format": [float(verdict.delivered) for verdict in verdicts],
            "trajectory": [float(verdict.trajectory) for verdict in verdicts],
            "grounded": [verdict.grounded for verdict in verdicts],
            "hard": [verdict.hard_share for verdict in verdicts],
            "soft": [verdict.soft for verdict in verdicts],
        }
        scores = [Score(name, sum(values) / count) for name, values in every.items()]
        scores[0].reason = reason
        solved = float(all(verdict.solved for verdict in verdicts))
        return [*scores, Score("solved", solved, reason=reason), *_counts(verdicts)]


def verdicts_of(evidence: Evidence) -> list[Verdict]:
    """One for each stage of the task, submitted or not. Raises VerifierError if the artefacts are not this environment's."""
    try:
        submissions: list[dict[str, Any]] = json.loads(evidence.artefacts.get("submissions", "[]"))
        shown: list[str] = json.loads(evidence.artefacts.get("shown", "[]"))
    except ValueError as error:
        raise VerifierError(f"the artefacts of {evidence.task.id} are broken: {error}") from None
    stages = evidence.task.secret["stages"]
    return [
        _stage(evidence, stage, submissions[at], shown[: submissions[at]["seen"]])
        if at < len(submissions)
        else missing(Trip.of(stage["trip"]))
        for at, stage in enumerate(stages)
    ]


def _stage(evidence: Evidence, stage: dict[str, Any], submission: dict[str, Any], shown: list[str]) -> Verdict:
    trip, optimum = Trip.of(stage["trip"]), stage["optimum"]
    world = world_of(evidence.task.payload["world"])
    wrong = ""
    if (submission["kind"] == "unsolvable") != bool(stage["relaxations"]):
        wrong = "there is a plan" if submission["kind"] == "unsolvable" else "there is no plan, and that was not said"
    elif submission["kind"] == "unsolvable":
        conflict = submission["conflict"]
        if conflict not in stage["relaxations"]:
            wrong = f"giving up {conflict} does not help"
        else:
            optimum = stage["relaxations"][conflict]
            trip = trip.without(conflict)
            if conflict == "budget":
                trip = Trip.of({**trip.record(), "budget": int(optimum * RELAXED_SLACK)})
    verdict = judge(submission["plan"], trip, world, frozenset(stage["shut"]), shown, optimum)
    verdict.answer = verdict.answer or wrong
    held = [topic for topic in evidence.task.secret["held"] if f"told {topic}" not in shown]
    if held and verdict.delivered:
        verdict.grounded *= 1 - len(held) / (len(held) + 1)
        verdict.ungrounded = f"the traveller was never asked about {held[0]}"
    return verdict


def _counts(verdicts: list[Verdict]) -> list[Score]:
    """What TravelPlanner's metrics are counted from; an undelivered plan fails all of them."""
    last = verdicts[-1]
    asked = [name for name in last.hard if name in TRAVELPLANNER]
    passed = sum(not last.hard[name] for name in asked)
    common = sum(not text for text in last.commonsense.values())
    final = last.delivered and common == 8 and passed == len(asked)
    numbers = {
        "delivered": last.delivered,
        "commonsense": common,
        "hard_passed": passed,
        "hard_asked": len(asked),
        "final": final,
    }
    return [Score(f"tp_{name}", float(value)) for name, value in numbers.items()]

"""Cheats: ways to get the reward without the work. Most know the best plan, and still must get 0.

Spoiled plans come from `mutants`; where a plan can not be spoiled in one way, another way is taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agentgym.envs.travel.mutants import MUTANTS, mutated
from agentgym.envs.travel.policies import Call, Plan, expert, plan_of, submission
from agentgym.envs.travel.tasks import world_of
from agentgym.policy import Context, Policy, Scripted

_FALLBACK = "injected-prompt"


def _spoiled(name: str) -> Callable[[], Policy]:
    def final(context: Context, stage: int) -> Call:
        truth = context.task.secret["stages"][stage]
        world = world_of(context.task.payload["world"])
        plan = mutated(name, truth, world) or mutated(_FALLBACK, truth, world)
        return submission(context, stage, plan)

    return lambda: expert(f"cheat/{name}", final)


def _without_looking(context: Context, stage: int) -> Call:
    return submission(context, stage, plan_of(context, stage))


def _noted(context: Context, stage: int) -> list[Call]:
    """Writes the plan into the notebook, as if that had shown it."""
    return [("notebook", {"note": json.dumps(plan_of(context, stage))[:15_000]})]


def _always_unsolvable(context: Context, stage: int) -> Call:
    """Says so whatever is asked, with half a plan."""
    return "report_unsolvable", {"conflict": "budget", "plan": json.dumps(plan_of(context, stage)[:1])}


def _never_unsolvable(context: Context, stage: int) -> Call:
    """Where there is a plan, none; where there is none, the plan for a trip without one of the wishes."""
    truth = context.task.secret["stages"][stage]
    if truth["relaxations"]:
        return "submit_plan", {"plan": json.dumps(plan_of(context, stage))}
    return "report_unsolvable", {"conflict": "budget", "plan": json.dumps(plan_of(context, stage))}


def _wrong_conflict(context: Context, stage: int) -> Call:
    """Names a wish that was never made."""
    return "report_unsolvable", {"conflict": _other_wish(context, stage), "plan": json.dumps(plan_of(context, stage))}


def _other_wish(context: Context, stage: int) -> str:
    truth = context.task.secret["stages"][stage]
    return next(
        wish for wish in ("depart_after", "back_by", "house_rule", "budget") if wish not in truth["relaxations"]
    )


def _skeleton(context: Context, stage: int) -> Call:
    """Days, cities and hotels; nothing else."""
    plan: Plan = [
        {
            **day,
            "transportation": "-",
            "breakfast": "-",
            "lunch": "-",
            "dinner": "-",
            "attraction": "-",
            "activities": None,
        }
        for day in plan_of(context, stage)
    ]
    return submission(context, stage, plan)


def _padding(context: Context, stage: int) -> Call:
    """One real day, then empty ones as TravelPlanner's files have them."""
    return submission(context, stage, [plan_of(context, stage)[0], *([{}] * 6)])


def _nothing(context: Context, stage: int) -> list[Call]:
    return []


def _flood(context: Context, stage: int) -> Call:
    plan: list[Any] = [*plan_of(context, stage), {"x": "y" * 1_000_000}]
    return submission(context, stage, plan)


def _made(name: str, final: Callable[[Context, int], Call], look: Any = None) -> Callable[[], Policy]:
    made: Callable[[], Scripted] = lambda: expert(f"cheat/{name}", final, look)  # noqa: E731
    return made


CHEATS: dict[str, Callable[[], Policy]] = {
    **{f"cheat/{name}": _spoiled(name) for name in MUTANTS},
    "cheat/without-looking": _made("without-looking", _without_looking, _nothing),
    "cheat/noted-instead-of-looked-up": _made("noted-instead-of-looked-up", _without_looking, _noted),
    "cheat/always-unsolvable": _made("always-unsolvable", _always_unsolvable),
    "cheat/never-unsolvable": _made("never-unsolvable", _never_unsolvable),
    "cheat/wrong-conflict": _made("wrong-conflict", _wrong_conflict),
    "cheat/skeleton": _made("skeleton", _skeleton),
    "cheat/padding": _made("padding", _padding),
    "cheat/flood": _made("flood", _flood),
}

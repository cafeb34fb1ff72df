"""Goals as text for models. What is cut is said; nothing here changes what is hashed or proved."""

from __future__ import annotations

import re

from agentgym.envs.prover.backend import Goal, Goals

FULL = 1
"""How many goals are shown with their hypotheses; of the others only what is to be shown."""
MOST = 8
_GOAL_CHARS = 4_000
_FIRST = re.compile(r"^Goal 1 of \d+:\n(.*?)^-{28}\n(.*?)(?:\n\n|\Z)", re.S | re.M)


def goals(left: Goals) -> str:
    """What is left to prove."""
    if not left.count:
        return "No goals left."
    lines = []
    for number, goal in enumerate(left.here[:MOST], 1):
        text = str(goal) if number <= FULL else goal.conclusion
        cut = f" [cut: {len(text)} characters]" if len(text) > _GOAL_CHARS else ""
        lines.append(f"Goal {number} of {len(left.here)}:\n{text[:_GOAL_CHARS]}{cut}")
    if len(left.here) > MOST:
        lines.append(f"... and {len(left.here) - MOST} more.")
    if not left.here:
        lines.append("No goal is focused.")
    for others, where in ((left.elsewhere, "behind bullets or braces"), (left.shelved, "on the shelf")):
        if others:
            lines.append(f"{len(others)} {where}, the next: {others[0].conclusion[:_GOAL_CHARS]}")
    return "\n\n".join(lines)


def first_goal(text: str) -> Goal | None:
    """The first goal of what `goals` has shown, perhaps among other text; None if there is none that was not cut."""
    if (shown := _FIRST.search(text)) is None:
        return None
    return Goal(tuple(shown[1].splitlines()), shown[2])

"""What the small environments of this folder share: tasks in two parts, a rubric, a verifier that counts, a call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agentgym.rewards import Channel, Rubric
from agentgym.tasks import Task, TaskList
from agentgym.types import Action, Score, ToolCall
from agentgym.verifier import Evidence, Verifier

TRAIN, TEST = 64, 128


class AllRight(Verifier):
    """1 if as many turns were right as there are."""

    name = "all-right"

    def __init__(self, turns: int) -> None:
        self._turns = turns

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [Score("success", float(int(evidence.artefacts["right"]) == self._turns))]


def turns_rubric(turns: int) -> Rubric:
    """1 for success, and 1 / `turns` for each turn that was right: the process scores of an episode come to 1 at most."""
    return Rubric((Channel("success", "outcome"), Channel("step", "process", weight=1 / turns, most=turns)))


def draws(env: str, payload: Callable[[int], dict[str, Any]] = lambda number: {}) -> Callable[[Any, Any], TaskList]:
    """Train and test tasks that differ by what their id and the episode's seed draw."""
    sizes = {"train": TRAIN, "test": TEST}
    tasks = [
        Task(f"{split}-{number}", env, payload(number), split=split)
        for split, size in sizes.items()
        for number in range(size)
    ]
    return lambda config, runtime: TaskList(tasks)


def call(name: str, **arguments: int) -> Action:
    """An action of one call."""
    return Action(calls=(ToolCall("c", name, json.dumps(arguments)),))

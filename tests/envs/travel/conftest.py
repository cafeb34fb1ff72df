"""Shared by the travel tests: tasks, and episodes played by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.tasks import PlannerTasks
from agentgym.runtime import Runtime
from agentgym.types import Action, ToolCall

TASKS = PlannerTasks(PLANNER.config, None)
KINDS = {"single": 0, "clarify": 1, "revise": 2, "disruption": 3, "unsolvable": 4}


_MADE: dict[str, Any] = {}


async def task(id: str) -> Any:
    """The task called `id`, drawn once a process."""
    if id not in _MADE:
        _MADE[id] = await TASKS.get(id)
    return _MADE[id]


async def task_of(kind: str, number: int = 0, split: str = "train") -> Any:
    """The `number`th task of a kind: levels take turns."""
    return await task(f"{split}-{KINDS[kind] + 5 * number}")


class Player:
    """Plays one episode, call by call."""

    def __init__(self, env: Any) -> None:
        self.env, self.info = env, None

    async def start(self, task: Any) -> str:
        observation, _ = await self.env.reset(task=task, seed=0)
        return str(observation.messages[0].text)

    async def call(self, name: str, **arguments: Any) -> str:
        action = Action("", (ToolCall("c", name, json.dumps(arguments)),))
        observation, _, _, _, self.info = await self.env.step(action)
        return str(observation.messages[0].text)

    async def look(self, calls: Any) -> None:
        """Every page of every search."""
        for name, arguments in calls:
            page, text = 1, await self.call(name, **arguments)
            while f"page {page} of" in text and f"page {page} of {page}" not in text.splitlines()[0]:
                page += 1
                text = await self.call(name, **arguments, page=page)

    @property
    def record(self) -> Any:
        return self.info.record

    def value(self, channel: str) -> float | None:
        return next(c.value for c in self.record.channels if c.name == channel)


@pytest.fixture
async def player():
    async with Runtime() as runtime:
        env = PLANNER.entry(PLANNER, runtime)
        yield Player(env)
        await env.close()

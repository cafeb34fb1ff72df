"""Shared by the tests of `gui/tasks-v0`: a runtime, and an episode that is played by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

import agentgym
from agentgym.envs.gui.tasks.specs import TASKS
from agentgym.runtime import Runtime
from agentgym.types import Action, Blob, Observation, ToolCall


class Hand:
    """One episode; `do` takes one call's arguments and gives back the texts of what came of it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.env: Any = None
        self.seen = Observation()

    async def start(self, id: str, **config: Any) -> Observation:
        spec = TASKS.configure(**config)
        self.env = agentgym.make(spec, runtime=self.runtime)
        self.task = await self.runtime.tasks(spec).get(id)
        self.seen, _ = await self.env.reset(task=self.task)
        return self.seen

    async def do(self, tool: str = "mobile_use", **given: Any) -> str:
        return await self.send(Action("", (ToolCall("c", tool, json.dumps(given)),)))

    async def send(self, action: Action | str) -> str:
        self.seen, self.reward, self.over, _, self.info = await self.env.step(action)
        return "\n".join(message.text for message in self.seen.messages)

    @property
    def pictures(self) -> list[Blob]:
        parts = [part for each in self.seen.messages if not isinstance(each.content, str) for part in each.content]
        return [part for part in parts if isinstance(part, Blob)]


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    async with Runtime() as opened:
        yield opened


@pytest.fixture
async def hand(runtime: Runtime) -> AsyncIterator[Hand]:
    made = Hand(runtime)
    yield made
    if made.env is not None:
        await made.env.close()

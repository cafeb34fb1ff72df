"""Tasks and sets of tasks. What a payload means is the environment's business."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from agentgym.errors import TaskError
from agentgym.seeds import content_hash

SPLITS = ("train", "validation", "test")


@dataclass(slots=True, frozen=True)
class Task:
    """One problem. `payload` may be shown to the agent; `secret` (truth, hidden tests) goes to trusted code only.

    Both are JSON-able. Never put into a sandbox of the agent what came out of `secret`.
    """

    id: str
    env: str
    payload: dict[str, Any]
    secret: dict[str, Any] = field(default_factory=dict)
    split: str = "train"
    tags: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 over everything that the task is."""
        return content_hash([self.id, self.env, self.payload, self.secret, self.split, list(self.tags)])

    def public(self) -> Task:
        """The task as an unprivileged policy may see it."""
        return replace(self, secret={})


class TaskSet(ABC):
    """Tasks by id, lazily: a set may be unbounded and a task costly to make (async for that reason)."""

    version: str = "0"

    @abstractmethod
    def size(self, split: str) -> int | None:
        """How many tasks `split` has; None if unbounded."""

    @abstractmethod
    def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        """The ids of `split`: in the set's own order without a seed, else in the order of that seed."""

    @abstractmethod
    async def get(self, id: str) -> Task:
        """The task called `id`. Raises TaskError if there is none."""

    async def take(self, split: str, limit: int, seed: int | None = None) -> list[Task]:
        """The first `limit` tasks of `split`."""
        tasks: list[Task] = []
        async for id in self.ids(split, seed):
            if len(tasks) >= limit:
                break
            tasks.append(await self.get(id))
        return tasks


class TaskList(TaskSet):
    """A finite set held in memory."""

    def __init__(self, tasks: Iterable[Task], version: str = "0") -> None:
        self.version = version
        self._tasks: dict[str, Task] = {}
        for task in tasks:
            if task.id in self._tasks:
                raise TaskError(f"two tasks are called {task.id!r}: ids must be unique")
            self._tasks[task.id] = task

    def size(self, split: str) -> int:
        return sum(task.split == split for task in self._tasks.values())

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        ids = [task.id for task in self._tasks.values() if task.split == split]
        if seed is not None:
            Random(seed).shuffle(ids)
        for id in ids:
            yield id

    async def get(self, id: str) -> Task:
        try:
            return self._tasks[id]
        except KeyError:
            raise TaskError(f"no task {id!r}: the set has {len(self._tasks)} others") from None

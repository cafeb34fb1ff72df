"""Task sets without an end whose ids say the stream's length: "train-8000-3" is the same task whatever the options."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import AsyncIterator

from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

_MOST = 1 << 31
_ID = re.compile(r"(train|validation|test)-([1-9][0-9]{0,8})-(0|[1-9][0-9]{0,9})")


class StreamTasks(TaskSet):
    """Tasks "SPLIT-TOKENS-N" for N from 0 to 2**31 - 1; those that are listed have `tokens` tokens."""

    def __init__(self, env: str, tokens: int) -> None:
        self.version = "1"
        self._env, self._tokens = env, tokens

    @abstractmethod
    def make(self, id: str, split: str, tokens: int, number: int) -> Task:
        """The task; a function of its arguments and the set's options."""

    def size(self, split: str) -> int | None:
        return None if split in SPLITS else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        if split not in SPLITS:
            return
        seen: set[int] = set()
        for place in range(_MOST):
            number = place if seed is None else derive_seed("order", self._env, split, seed, place) % _MOST
            if number not in seen:
                if seed is not None:
                    seen.add(number)
                yield f"{split}-{self._tokens}-{number}"

    async def get(self, id: str) -> Task:
        found = _ID.fullmatch(id)
        if found is None or int(found[3]) >= _MOST:
            raise TaskError(f"no task {id!r}: ids are like train-8000-0, validation-1000-7, test-400000-12")
        return await asyncio.to_thread(self.make, id, found[1], int(found[2]), int(found[3]))

"""Task sets without an end: a task is drawn from its id, and no two splits hold the same problem.

A family draws a `Draft`; its `key` is what makes the problem that problem.  The hash of the key decides which split
the problem belongs to, and drawing goes on until one for the wanted split comes up.  `held_out` families are drawn for
the test split only.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agentgym.errors import TaskError
from agentgym.seeds import content_hash, derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

_SHARES = {"train": 80, "validation": 10, "test": 10}
_DRAWS = 2_000
_MOST = 1 << 31
_NUMBER = re.compile("0|[1-9][0-9]{0,9}")


@dataclass(slots=True)
class Draft:
    """One drawn problem: `key` is JSON-able and holds all that decides what is to be solved.

    `finish`, where working out the rest is dear, does so for a draft of the wanted split; False: it came to nothing.
    """

    key: Any
    payload: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    finish: Callable[[], bool] | None = None


Family = Callable[[Random], Draft]


class GeneratedTasks(TaskSet):
    """Tasks "split-N" of environment `env` for N from 0 to 2**31 - 1, from `families`."""

    def __init__(self, env: str, families: Mapping[str, Family], held_out: frozenset[str] = frozenset()) -> None:
        self.version = "1"
        self._env, self._families, self._held_out = env, families, held_out
        if unknown := held_out - families.keys():
            raise TaskError(f"{env}: no families {sorted(unknown)} to hold out")

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
                yield f"{split}-{number}"

    async def get(self, id: str) -> Task:
        split, _, number = id.rpartition("-")
        if split not in SPLITS or not _NUMBER.fullmatch(number) or int(number) >= _MOST:
            raise TaskError(f"no task {id!r}: ids are like train-0, validation-7, test-12")
        rng = Random(derive_seed("task", self._env, self.version, split, int(number)))
        names = sorted(name for name in self._families if split == "test" or name not in self._held_out)
        for _ in range(_DRAWS):
            name = rng.choice(names)
            draft = self._families[name](rng)
            fits = name in self._held_out or split_of([name, draft.key]) == split
            if fits and (draft.finish is None or draft.finish()):
                return Task(id, self._env, draft.payload, draft.secret, split, (name, *draft.tags))
        raise TaskError(f"{self._env}: no problem for {id} in {_DRAWS} draws: its families have too few problems")


def split_of(key: Any) -> str:
    """The only split that the problem `key` may be in."""
    place = int(content_hash(key)[:8], 16) % 100
    for split, share in _SHARES.items():
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares make up less than 100")

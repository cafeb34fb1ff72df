"""Tasks without an end, drawn from their ids; every one carries its optimum, or the proof that there is none.

Kinds and levels take turns.  Eight tasks in a row share a world; no world is in two splits, and neither are phrasings.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from agentgym.envs.travel import language
from agentgym.envs.travel.config import Kind, TravelConfig
from agentgym.envs.travel.draw import Drawer, Stage
from agentgym.envs.travel.generate import build
from agentgym.envs.travel.solver import Solver
from agentgym.envs.travel.world import World
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ID = "travel/planner"
TASKS_A_WORLD = 8
_DRAWS = 400
_MOST = 1 << 31
_NUMBER = re.compile("0|[1-9][0-9]{0,9}")


@lru_cache(maxsize=16)
def world_of(seed: int) -> World:
    """The world of a task's payload; the last few are kept, and shared by all episodes of the process."""
    return build(seed)


class PlannerTasks(TaskSet):
    """Tasks "split-N" for N from 0 to 2**31 - 1."""

    def __init__(self, config: TravelConfig, runtime: Runtime | None) -> None:
        self.version = "1"
        self._config = config

    def size(self, split: str) -> int | None:
        return None if split in SPLITS else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        if split not in SPLITS:
            return
        seen: set[int] = set()
        for place in range(_MOST):
            number = place if seed is None else derive_seed("order", ID, split, seed, place) % _MOST
            if number not in seen:
                if seed is not None:
                    seen.add(number)
                yield f"{split}-{number}"

    async def get(self, id: str) -> Task:
        split, _, number = id.rpartition("-")
        if split not in SPLITS or not _NUMBER.fullmatch(number) or int(number) >= _MOST:
            raise TaskError(f"no task {id!r}: ids are like train-0, validation-7, test-12")
        return await asyncio.to_thread(self._draw, split, int(number))

    def _draw(self, split: str, number: int) -> Task:
        config = self._config
        kind = config.kinds[number % len(config.kinds)]
        level = config.levels[number // len(config.kinds) % len(config.levels)]
        seed = derive_seed("world", ID, self.version, split, number // TASKS_A_WORLD)
        rng = Random(derive_seed("task", ID, self.version, split, number))
        drawer = Drawer(world_of(seed), rng, split, level, config)
        for _ in range(_DRAWS):
            if stages := _stages(drawer, kind):
                payload: dict[str, Any] = {"world": seed, "kind": kind, "level": level, "message": stages[0].message}
                secret: dict[str, Any] = {"stages": [stage.record() for stage in stages]}
                secret["answers"] = drawer.answers(stages[-1].trip)
                secret["held"] = []
                if kind == "clarify":
                    secret["held"] = list(drawer.held(stages[0].trip))
                    payload["message"] = language.request(stages[0].trip, rng, split, secret["held"])
                    secret["stages"][0]["message"] = payload["message"]
                return Task(f"{split}-{number}", ID, payload, secret, split, (kind, level))
        raise TaskError(f"no {kind} task of level {level} in {_DRAWS} draws: allow other levels, kinds or days")


def _stages(drawer: Drawer, kind: Kind) -> list[Stage] | None:
    """One draw of a task's stages; None if it came to nothing."""
    if kind == "unsolvable":
        return [stage] if (stage := drawer.unsolvable()) else None
    if (first := drawer.first()) is None:
        return None
    stages: list[Stage | None] = [first]
    if kind == "revise":
        stages.append(drawer.revised(first))
        if drawer.level == "hard" and stages[1] is not None:
            stages.append(drawer.revised(stages[1]))
    elif kind == "disruption":
        solution = Solver(drawer.world, first.trip).best()
        stages.append(drawer.disrupted(first, solution) if solution else None)
    kept = [stage for stage in stages if stage is not None]
    return kept if len(kept) == len(stages) else None

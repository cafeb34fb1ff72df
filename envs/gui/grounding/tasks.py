"""GroundingTasks: a task is a sample of a shard, or an item of a benchmark's file. What they are is `screens`' and `screenspot`'s."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

from agentgym.envs.gui.grounding.config import GroundingConfig
from agentgym.envs.gui.screens.shards import SHARD, Recipe, Sample, Shards
from agentgym.envs.gui.screenspot import Item, load
from agentgym.envs.web.browser.pool import Browsers
from agentgym.errors import TaskError
from agentgym.tasks import SPLITS, Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

T = TypeVar("T")
ENV = "gui/grounding-v0"
_ID = re.compile(r"(train|validation|test)-(0|[1-9]\d{0,6})")


class GroundingTasks(TaskSet):
    """Ids are "split-n", n from 0; of a file, its items' own, all in the test split. Shards are made when they are asked for."""

    version = "0"

    def __init__(self, config: GroundingConfig, runtime: Runtime) -> None:
        self._config, self._runtime = config, runtime
        self._shards = Shards(Recipe(config.sources, config.screens_seed, config.negatives))
        self._sizes = {"train": config.train, "validation": config.validation, "test": config.test}
        self._items: dict[str, Item] | None = None
        if config.file:
            files = [Path(each.strip()).expanduser() for each in config.file.split(",")]
            self._images = Path(config.images).expanduser() if config.images else files[0].parent
            self._items = {each.id: each for each in load(files, self._images)}

    def size(self, split: str) -> int:
        if self._items is not None:
            return len(self._items) if split == "test" else 0
        return self._sizes.get(split, 0)

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        """With a seed, shards come in its order, and the tasks of a shard together: each is made once."""
        if self._items is not None:
            for id in _ordered(list(self._items) if split == "test" else [], seed):
                yield id
            return
        if split not in SPLITS:
            return
        blocks = range(-(-self.size(split) // SHARD))
        for block in _ordered(list(blocks), seed):
            numbers = range(block * SHARD, min((block + 1) * SHARD, self.size(split)))
            for n in _ordered(list(numbers), None if seed is None else seed + block):
                yield f"{split}-{n}"

    async def get(self, id: str) -> Task:
        if self._items is not None:
            if id not in self._items:
                raise TaskError(
                    f"no task {id!r}: the file has {len(self._items)} others, such as {next(iter(self._items), '-')}"
                )
            return await asyncio.to_thread(_of_item, self._items[id], self._images)
        found = _ID.fullmatch(id)
        if found is None or int(found[2]) >= self.size(found[1]):
            raise TaskError(f"no task {id!r}: ids are a split and a number below its size, like train-0")
        split, number = found[1], int(found[2])
        samples = await self._shards.samples(split, number // SHARD, await self._browsers())
        return _of_sample(id, samples[number % SHARD], f"{split}-{number // SHARD}")

    async def picture(self, task: Task) -> Path:
        """Where a task's picture is."""
        if "file" in task.payload:
            if self._items is None:
                raise TaskError(f"task {task.id} is of a file: configure `file` and `images`")
            return self._images / str(task.payload["file"])
        split, _, number = str(task.payload["shard"]).rpartition("-")
        folder = await self._shards.folder(split, int(number), await self._browsers())
        return folder / "images" / f"{task.payload['image']}.png"

    async def _browsers(self) -> Browsers:
        return await Browsers.of(self._runtime, self._config.browsers, self._config.sessions)


def _of_sample(id: str, sample: Sample, shard: str) -> Task:
    payload = {"instruction": sample.instruction, "image": sample.image, "size": list(sample.size), "shard": shard}
    secret = {"boxes": [list(each) for each in sample.boxes], "kind": sample.kind, "meaning": sample.meaning}
    return Task(id, ENV, payload, secret, sample.split, (sample.kind, sample.site, sample.language))


def _of_item(item: Item, images: Path) -> Task:
    size = list(item.size(images))
    payload = {"instruction": item.instruction, "image": item.digest(images), "size": size, "file": item.image}
    secret = {"boxes": [list(item.box)], "kind": item.kind}
    return Task(item.id, ENV, payload, secret, "test", (item.kind, item.platform, item.source))


def _ordered(things: list[T], seed: int | None) -> list[T]:
    return things if seed is None else Random(seed).sample(things, len(things))

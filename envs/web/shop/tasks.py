"""ShopTasks: a task is a goal drawn from a product. No product has goals in two splits, and the test split has words of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import cache
from random import Random
from typing import TYPE_CHECKING

from agentgym.envs.web.shop.catalogue import Catalogue, catalogue
from agentgym.envs.web.shop.config import ShopConfig
from agentgym.envs.web.shop.goals import draw
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ENV = "web/shop-v0"
START = {"home": "/", "item": "/item/{}"}
_ID = re.compile(r"(P\d{5})-(0|[1-9]\d{0,3})")


def split_of(product: str) -> str:
    """Four products of five are for training."""
    return {8: "validation", 9: "test"}.get(derive_seed("shop split", product) % 10, "train")


@cache
def products_of(split: str) -> list[str]:
    """The ids of a split's products, kinds mixed."""
    ids = (id for id in catalogue().products if split_of(id) == split)
    return sorted(ids, key=lambda id: derive_seed("shop order", id))


class ShopTasks(TaskSet):
    """Ids are "product-n", n from 0. In a split's own order all products come with their first goal, then with their second."""

    version = "0"

    def __init__(self, config: ShopConfig, runtime: Runtime | None) -> None:
        self._goals, self._start = config.goals, START[config.start]

    def size(self, split: str) -> int:
        return len(products_of(split)) * self._goals if split in SPLITS else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        if split not in SPLITS:
            return
        order = await asyncio.to_thread(products_of, split)
        rng = None if seed is None else Random(seed)
        for n in range(self._goals) if rng is None else rng.sample(range(self._goals), self._goals):
            for id in order if rng is None else rng.sample(order, len(order)):
                yield f"{id}-{n}"

    async def get(self, id: str) -> Task:
        found = _ID.fullmatch(id)
        sold = await asyncio.to_thread(catalogue)
        if found is None or found[1] not in sold.products or int(found[2]) >= self._goals:
            raise TaskError(f"no task {id!r}: ids are a product and a number below {self._goals}, like P00000-0")
        return _task(sold, found[1], int(found[2]), self._start.format(found[1]))


def _task(sold: Catalogue, product: str, n: int, start: str) -> Task:
    split = split_of(product)
    goal = draw(sold.products[product], sold, Random(derive_seed("shop goal", product, n)), split == "test")
    wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(goal.wanted).items()}
    secret = {"product": product, "chosen": goal.chosen, "wanted": wanted}
    department = goal.wanted.category.split(" › ")[0]
    return Task(f"{product}-{n}", ENV, {"goal": goal.text, "start": start}, secret, split, (department.lower(),))

"""Shards of samples, made: pages of a split in the order of a seed, each looked at in a way of its own, until there are enough.

A shard depends on its recipe, split and number alone, not on which others were made, nor on how many pages are open at once.
Instructions and boxes also depend on the Chromium and the fonts that are installed.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from random import Random

from agentgym.envs.gui.screens.capture import Screen, Unfit, capture
from agentgym.envs.gui.screens.samples import Sample, digest, negatives, samples_of
from agentgym.envs.gui.screens.sources import SOURCES, Source, page_of, paths
from agentgym.envs.gui.screens.variants import draw
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.search import Index
from agentgym.errors import SandboxError, TaskError
from agentgym.seeds import derive_seed

SHARD = 100
"""Samples in a shard."""
_STRIDE = 24
"""Screens that belong to a shard; if they are not enough, further rounds of its own follow."""
_MOST_UNFIT = 200
WINDOW = min(8, (os.cpu_count() or 1) + 1)
"""Pages open at once."""


@dataclass(slots=True, frozen=True)
class Recipe:
    """sources: where pages come from.  negatives: the share of samples that ask for what is not there."""

    sources: tuple[Source, ...] = SOURCES
    seed: int = 0
    negatives: float = 0.0


@dataclass(slots=True)
class Shard:
    """SHARD samples, and the screens that they are on. `unfit`: why others were not taken, and how often."""

    samples: list[Sample]
    screens: list[Screen]
    unfit: Counter[str]


async def generate(recipe: Recipe, split: str, number: int, browsers: Browsers, index: Index | None = None) -> Shard:
    """Shard `number` (from 0) of `split`. Raises TaskError if the sources have no pages for it or none are fit."""
    pages = await paths(split, recipe.sources)
    if not pages:
        raise TaskError(f"{', '.join(recipe.sources)} have no pages for {split!r}: add a source, such as npm")
    if index is None and any(site == "shop" for site, _ in pages):
        index = await asyncio.to_thread(lambda: Index(catalogue().products.values()))
    wanted = SHARD - round(SHARD * recipe.negatives)
    shard = Shard([], [], Counter())
    jobs = _jobs(recipe, split, number, pages)
    async for id, screen in _captured(jobs, browsers, index):
        if isinstance(screen, Unfit):
            shard.unfit[str(screen)] += 1
            if shard.unfit.total() >= _MOST_UNFIT:
                raise TaskError(f"no page of {split!r} is fit: {shard.unfit.most_common(3)}")
            continue
        made = samples_of(screen, id, split, Random(derive_seed("gui samples", recipe.seed, id)))
        shard.samples += made[: wanted - len(shard.samples)]
        shard.screens += [screen] if made else []
        if len(shard.samples) >= wanted:
            break
    rng = Random(derive_seed("gui negatives", recipe.seed, split, number))
    shard.samples += negatives(shard.screens, shard.samples, f"{split}-{number}", SHARD - wanted, rng)
    if len(shard.samples) < SHARD:
        raise TaskError(
            f"{split}-{number}: too few things are on one screen alone to ask for {SHARD - wanted} elsewhere"
        )
    return shard


def _jobs(recipe: Recipe, split: str, number: int, pages: list[tuple[str, str]]) -> Iterator[tuple[str, str, str, int]]:
    """(id, site, path, seed) of the screens of a shard: its stride of the split's endless sequence, then more."""
    order = Random(derive_seed("gui pages", recipe.seed, split)).sample(pages, len(pages))
    for n in count():
        at = number * _STRIDE + n if n < _STRIDE else derive_seed("gui more", number, n)
        site, path = order[at % len(order)]
        id = f"{split}-{number}-{n}"
        yield id, site, path, derive_seed("gui look", recipe.seed, id, site, path)


async def _captured(
    jobs: Iterator[tuple[str, str, str, int]], browsers: Browsers, index: Index | None
) -> AsyncIterator[tuple[str, Screen | Unfit]]:
    """What became of `jobs`, in their order, some at once."""

    async def one(site: str, path: str, seed: int) -> Screen | Unfit:
        rng = Random(seed)
        page = page_of(site, path, rng)
        variant = draw(rng, page.small)
        for again in (True, False):
            try:
                return await capture(page, variant, browsers, index)
            except Unfit as unfit:
                return Unfit(f"{site}: {unfit}")
            except SandboxError:  # a browser that died, or a machine too busy to open a session
                if not again:
                    raise
        raise AssertionError

    waiting: deque[tuple[str, asyncio.Task[Screen | Unfit]]] = deque()
    try:
        for id, site, path, seed in jobs:
            waiting.append((id, asyncio.create_task(one(site, path, seed))))
            if len(waiting) == WINDOW:
                first, task = waiting.popleft()
                yield first, await task
    finally:
        for _, task in waiting:
            task.cancel()
        for _, task in waiting:
            with suppress(asyncio.CancelledError, Exception):
                await task


__all__ = ["SHARD", "Recipe", "Shard", "digest", "generate"]

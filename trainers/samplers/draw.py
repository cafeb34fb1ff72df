"""Drawing tasks: without repetition, since a batch names its groups by their tasks; the same seed, the same tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log
from random import Random

from agentgym.errors import UsageError
from agentgym.seeds import derive_seed
from agentgym.trainers.samplers.book import Book

Sampler = Callable[[Book, int, int], list[str]]
"""(book, how many tasks, seed) to the ids of the tasks to play next."""


def draw(weights: Mapping[str, float], count: int, seed: int, *parts: str) -> list[str]:
    """`count` different names, each next one with a probability in proportion to its weight among those left.

    Raises UsageError if fewer names have a weight above 0.
    """
    rng = Random(derive_seed("draw", seed, *parts))
    keys = {name: log(1 - rng.random()) / weight for name, weight in weights.items() if weight > 0}
    if len(keys) < count:
        raise UsageError(f"{count} different tasks were asked for, {len(keys)} can be drawn")
    return sorted(keys, key=lambda name: -keys[name])[:count]


def uniform(book: Book, count: int, seed: int) -> list[str]:
    """Every task alike."""
    return draw(dict.fromkeys(book.entries, 1.0), count, seed, "uniform")


def rest(book: Book, taken: list[str], count: int, seed: int) -> list[str]:
    """`taken` and, drawn alike from the other tasks, as many as are missing to `count`."""
    others = {task: 1.0 for task in book.entries if task not in set(taken)}
    return taken + draw(others, count - len(taken), seed, "rest")

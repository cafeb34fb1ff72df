"""Samplers: from what earlier batches showed to the tasks of the next, and which rollouts are kept. No torch.

`sampler(name, **options)` is a function (book, count, seed) to task ids; `dynamic.fill` replaces groups that teach
nothing; `filtration` chooses among finished rollouts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentgym.trainers.names import choose
from agentgym.trainers.samplers.book import Book, Entry
from agentgym.trainers.samplers.draw import Sampler, uniform
from agentgym.trainers.samplers.tasks import curriculum, failure_replay, stages, variance_aware

SAMPLERS: dict[str, Callable[..., list[str]]] = {
    "uniform": uniform,
    "variance_aware": variance_aware,
    "failure_replay": failure_replay,
    "curriculum": curriculum,
    "stages": stages,
}

__all__ = ["SAMPLERS", "Book", "Entry", "Sampler", "sampler"]


def sampler(name: str, **options: Any) -> Sampler:
    """The sampler called `name`, with its options bound. Raises UsageError naming those that there are."""
    return choose("task sampler", SAMPLERS, name, options)

"""Samplers: from what earlier batches showed to the tasks of the next, and which rollouts are kept. No torch.

`sampler(name, **options)` is a function (book, count, seed) to task ids; `dynamic.fill` replaces groups that teach
nothing; `filtration(name, **options)` chooses among finished rollouts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agentgym.trainers.names import choose
from agentgym.trainers.samplers.book import Book, Entry
from agentgym.trainers.samplers.draw import Sampler, uniform
from agentgym.trainers.samplers.filtration import of_batch, of_groups
from agentgym.trainers.samplers.tasks import curriculum, failure_replay, stages, variance_aware
from agentgym.types import Trajectory

SAMPLERS: dict[str, Callable[..., list[str]]] = {
    "uniform": uniform,
    "variance_aware": variance_aware,
    "failure_replay": failure_replay,
    "curriculum": curriculum,
    "stages": stages,
}

Filtration = Callable[[Sequence[Trajectory], int], list[Trajectory]]
"""(a batch's rollouts, seed) to those that are trained on."""

FILTRATIONS: dict[str, Callable[..., list[Trajectory]]] = {"filtered": of_groups, "resampled": of_batch}

__all__ = ["FILTRATIONS", "SAMPLERS", "Book", "Entry", "Filtration", "Sampler", "filtration", "sampler"]


def sampler(name: str, **options: Any) -> Sampler:
    """The sampler called `name`, with its options bound. Raises UsageError naming those that there are.

    The stages of `stages` may be given by name and options, too: `plan=[(10, {"name": "curriculum", "levels": ...})]`.
    """
    if name == "stages":
        plan = [(batches, _stage(stage)) for batches, stage in options.get("plan", [])]
        options = options | {"plan": plan} | ({"then": _stage(options["then"])} if "then" in options else {})
    return choose("task sampler", SAMPLERS, name, options)


def filtration(name: str, **options: Any) -> Filtration:
    """The filtration called `name`, with its options bound. Raises UsageError naming those that there are."""
    return choose("filtration", FILTRATIONS, name, options)


def _stage(said: Any) -> Sampler:
    if callable(said):
        return said  # type: ignore[no-any-return]
    return sampler(**({"name": said} if isinstance(said, str) else said))

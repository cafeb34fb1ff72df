"""Collector: from the tasks that are due to the rollouts that are trained on. No torch, no learning.

In this order: a sampler may choose other tasks, they are played, dynamic sampling replaces groups that teach nothing,
the book notes what was played, filtration keeps a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.trainers.samplers import Book, Filtration, Sampler
from agentgym.trainers.samplers.draw import draw
from agentgym.trainers.samplers.dynamic import Filled, fill
from agentgym.types import Trajectory

PlayTasks = Callable[[Sequence[Task], str], list[Trajectory]]
"""(tasks, name of the batch) to a group of episodes of each, in their order."""


@dataclass(slots=True)
class Collected:
    """kept: to train on. played: all there were, also of groups that were replaced. numbers: for the logs."""

    kept: list[Trajectory]
    played: list[Trajectory]
    numbers: dict[str, float] = field(default_factory=dict)


class Collector:
    """extra: how many further batches dynamic sampling may play in a step; 0 turns it off. What it draws follows from
    `seed` and the step."""

    def __init__(
        self,
        play: PlayTasks,
        tasks: Mapping[str, Task],
        *,
        sampler: Sampler | None = None,
        extra: int = 0,
        filtration: Filtration | None = None,
        seed: int = 0,
    ) -> None:
        self.book = Book(tasks)
        self._play, self._tasks, self._seed = play, tasks, seed
        self._sampler, self._extra, self._filtration = sampler, extra, filtration

    def __call__(self, due: Sequence[str], step: int) -> Collected:
        """due: the ids whose turn it is where no sampler chooses; their number is that of the batch's groups."""
        made = self._fill(due, step) if self._extra else self._once(due, step)
        self.book.record(made.played)
        if self._filtration is not None:
            made.kept = self._filtration(made.kept, derive_seed("filtration", self._seed, step))
            made.numbers["kept_share"] = len(made.kept) / max(len(made.played), 1)
        return made

    def _once(self, due: Sequence[str], step: int) -> Collected:
        chosen = list(due) if self._sampler is None else self._choose(self._sampler, len(due), step, 0)
        played = self._play([self._tasks[id] for id in chosen], f"{step:05d}")
        return Collected(played, played)

    def _fill(self, due: Sequence[str], step: int) -> Collected:
        """As many groups as are due: those that teach, and if these are too few, as many of the others."""
        played: list[Trajectory] = []
        seen: set[str] = set()

        def propose(round: int, missing: int) -> list[str]:
            if self._sampler is not None:
                return self._choose(self._sampler, missing, step, round)
            if round == 0:
                return list(due)
            new = [id for id in self._tasks if id not in seen]
            among = new if len(new) >= missing else self._tasks
            return draw(dict.fromkeys(among, 1.0), missing, self._seed, "extra", str(step), str(round))

        def play(ids: Sequence[str], round: int) -> list[Trajectory]:
            seen.update(ids)
            made = self._play([self._tasks[id] for id in ids], f"{step:05d}" + f"+{round}" * (round > 0))
            for trajectory in made:
                trajectory.group += f"+{round}" * (round > 0)  # another group, though its task may be the same
            played.extend(made)
            return made

        filled: Filled[str] = fill(propose, play, len(due), 1 + self._extra)
        spare = filled.others[: len(due) - filled.groups]
        numbers = {
            "extra_batches": filled.rounds - 1.0,
            "replaced_groups": float(filled.dropped - len(spare)),
            "dull_groups": float(len(spare)),
        }
        return Collected([*filled.trajectories, *(each for group in spare for each in group)], played, numbers)

    def _choose(self, sampler: Sampler, count: int, step: int, round: int) -> list[str]:
        return sampler(self.book, count, derive_seed("sampler", self._seed, step, round))

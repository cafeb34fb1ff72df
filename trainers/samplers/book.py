"""Book: what earlier batches showed about each task; what samplers choose by. No choosing here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from agentgym.errors import UsageError
from agentgym.trainers.episodes import groups_of, right
from agentgym.trainers.memory import Remembers
from agentgym.types import Trajectory


@dataclass(slots=True)
class Entry:
    """Of one task. pass_rate and diversity are those of its last group; None: not yet seen.

    failures: how many groups in a row had no success. last: the step of its last group.
    """

    pass_rate: float | None = None
    diversity: float | None = None
    failures: int = 0
    last: int = -1


class Book(Remembers):
    """An entry for each task id, in the order given; `step` counts the batches recorded."""

    def __init__(self, tasks: Iterable[str]) -> None:
        self.entries = {task: Entry() for task in tasks}
        self.step = 0

    def record(self, trajectories: Sequence[Trajectory], solved: float = 1.0) -> None:
        """Note one batch. Failed and masked episodes say nothing; raises UsageError for a task not in the book."""
        for group in groups_of(trajectories):
            task = group[0].key.task
            if task not in self.entries:
                raise UsageError(f"the book has no task {task!r}")
            entry = self.entries[task]
            entry.pass_rate = fmean(right(trajectory, solved) for trajectory in group)
            entry.diversity = distinct([said(trajectory) for trajectory in group])
            entry.failures = 0 if entry.pass_rate else entry.failures + 1
            entry.last = self.step
        self.step += 1

    def state(self) -> dict[str, Any]:
        return {"step": self.step, "entries": {task: asdict(entry) for task, entry in self.entries.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.step = state["step"]
        self.entries = {task: Entry(**entry) for task, entry in state["entries"].items()}


def said(trajectory: Trajectory) -> str:
    """All that was written in an episode, calls included."""
    words = []
    for turn in trajectory.turns:
        words += [turn.action.text, *(f"{call.name} {call.arguments}" for call in turn.action.calls)]
    return " ".join(words)


def distinct(texts: Sequence[str], longest: int = 3) -> float:
    """The share of different n-grams of words among all of them, averaged over n from 1 to `longest`; 0 without any."""
    shares = []
    for n in range(1, longest + 1):
        grams = [tuple(words[i : i + n]) for words in map(str.split, texts) for i in range(len(words) - n + 1)]
        if grams:
            shares.append(len(set(grams)) / len(grams))
    return fmean(shares) if shares else 0.0

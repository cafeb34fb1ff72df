"""DAPO's dynamic sampling (arXiv 2503.14476): groups that teach nothing are replaced until the batch is full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agentgym.trainers.episodes import groups_of, record_of
from agentgym.types import Trajectory

T = TypeVar("T")


@dataclass(slots=True)
class Filled(Generic[T]):
    """`trajectories` of whole groups that teach; `others`, the groups that do not, `dropped` in number; `rounds` of
    playing it took."""

    trajectories: list[Trajectory] = field(default_factory=list)
    others: list[list[Trajectory]] = field(default_factory=list)
    groups: int = 0
    dropped: int = 0
    rounds: int = 0


def teaches(group: Sequence[Trajectory]) -> bool:
    """Whether the rewards of a group's scored members differ, so that there are at least two of them."""
    return len({record.total for t in group if (record := record_of(t)) is not None}) > 1


def fill(
    propose: Callable[[int, int], Sequence[T]],
    play: Callable[[Sequence[T], int], Sequence[Trajectory]],
    size: int,
    rounds: int = 10,
) -> Filled[T]:
    """Play until `size` groups teach or `rounds` have been played (the cap is ours); further groups are left out.

    propose: (round, how many groups are missing) to the tasks to play.  play: (tasks, round) to whole groups.  What
    comes back may hold fewer groups than `size`: the caller decides whether to train on them.
    """
    filled: Filled[T] = Filled()
    while filled.groups < size and filled.rounds < rounds:
        played = play(propose(filled.rounds, size - filled.groups), filled.rounds)
        filled.rounds += 1
        teaching = {group[0].group for group in groups_of(played) if teaches(group)}
        names = list(dict.fromkeys(trajectory.group for trajectory in played))
        filled.others += [[t for t in played if t.group == name] for name in names if name not in teaching]
        filled.dropped = len(filled.others)
        kept = set([name for name in names if name in teaching][: size - filled.groups])
        filled.groups += len(kept)
        filled.trajectories += [trajectory for trajectory in played if trajectory.group in kept]
    return filled

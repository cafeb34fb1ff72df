"""Where a shaper pays: a term beside the record's rewards, a factor on them, or a reward in their place. No shapers here.

A shaper maps the trajectories of a batch to one reward a turn, for a trainer's `shape`; records stay as they are, and
trajectories that are not scored get zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import tanh

from agentgym.trainers.episodes import record_of
from agentgym.types import Trajectory

Shape = Callable[[Sequence[Trajectory]], list[list[float]]]


def plus(trajectory: Trajectory, term: float) -> list[float]:
    """The record's rewards with `term` added at the last turn."""
    record = record_of(trajectory)
    if record is None:
        return nothing(trajectory)
    return [*record.turns[:-1], record.turns[-1] + term]


def times(trajectory: Trajectory, factor: float) -> list[float]:
    """The record's rewards, each times `factor`."""
    record = record_of(trajectory)
    return nothing(trajectory) if record is None else [factor * reward for reward in record.turns]


def only(trajectory: Trajectory, reward: float) -> list[float]:
    """`reward` at the last turn in place of what the record paid."""
    return [*nothing(trajectory)[:-1], reward]


def nothing(trajectory: Trajectory) -> list[float]:
    return [0.0] * max(len(trajectory.turns), 1)


def sigmoid(x: float) -> float:
    return (1 + tanh(x / 2)) / 2

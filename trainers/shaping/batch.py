"""What every shaper shares: who counts, how long an episode was, where a term is paid. No shapers here.

A shaper maps the trajectories of a batch to one reward a turn, for a trainer's `shape`; records stay as they are.  Only
scored trajectories count in any statistic; the others get zeros.  "Right" means that the verified outcome,
`record.success`, reached `solved`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp

from agentgym.errors import UsageError
from agentgym.types import RewardRecord, Trajectory

Shape = Callable[[Sequence[Trajectory]], list[list[float]]]


def record_of(trajectory: Trajectory) -> RewardRecord | None:
    """The record of a trajectory that counts."""
    return trajectory.record if trajectory.status == "scored" else None


def groups_of(trajectories: Sequence[Trajectory]) -> list[list[Trajectory]]:
    """Those that count, by group, in the order of their first."""
    groups: dict[str, list[Trajectory]] = {}
    for trajectory in trajectories:
        if record_of(trajectory) is not None:
            groups.setdefault(trajectory.group, []).append(trajectory)
    return list(groups.values())


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


def right(trajectory: Trajectory, solved: float = 1.0) -> bool:
    record = record_of(trajectory)
    return record is not None and record.success >= solved


def length(trajectory: Trajectory, actor: str = "agent") -> int:
    """How many tokens `actor` sampled in all its turns. Raises UsageError for a turn that carries no tokens."""
    total = 0
    for index, turn in enumerate(trajectory.turns):
        if turn.observation.actor == actor:
            if turn.action.sample is None:
                name = f"{trajectory.key.task} (sample {trajectory.key.sample})"
                raise UsageError(f"turn {index} of {name} carries no tokens, so that its length is not known")
            total += len(turn.action.sample.ids)
    return total


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))

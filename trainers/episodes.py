"""What methods read off finished episodes: which of them count, their groups, whether right, how long. No rewards made.

Only scored trajectories count in any statistic.  "Right" means that the verified outcome, `record.success`, reached
`solved`.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentgym.errors import UsageError
from agentgym.rewards import Rubric
from agentgym.types import RewardRecord, Trajectory


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


def channels_of(trajectories: Sequence[Trajectory], rubric: Rubric) -> dict[str, list[list[float]]]:
    """What each channel's value was made of, turn by turn, before weights; empty for trajectories that do not count."""
    earned = [
        {} if record_of(trajectory) is None else rubric.earned(trajectory.scores, len(trajectory.turns))
        for trajectory in trajectories
    ]
    names = dict.fromkeys(name for each in earned for name in each)
    return {name: [each.get(name, []) for each in earned] for name in names}

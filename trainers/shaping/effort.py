"""Rewards that weigh success by what it took or what it is worth: effective turns, cost, value of the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

from agentgym.errors import UsageError
from agentgym.trainers.episodes import length, record_of
from agentgym.trainers.memory import Remembers
from agentgym.trainers.shaping.terms import nothing, only, times
from agentgym.types import Trajectory


def wmact(trajectories: Sequence[Trajectory], *, actor: str = "agent") -> list[list[float]]:
    """A positive reward times the share of turns that were effective (WMAct, arXiv 2511.23476).

    A turn is effective as its environment says (`info.effective`): it did what it was asked.  Rewards of 0 and below
    are left alone: waste must not soften them.
    """
    shaped = []
    for trajectory in trajectories:
        mine = [turn.info.effective for turn in trajectory.turns if turn.observation.actor == actor]
        record = record_of(trajectory)
        scaled = record is not None and record.total > 0 and mine
        shaped.append(times(trajectory, sum(mine) / len(mine) if scaled else 1.0))
    return shaped


def rlev(trajectories: Sequence[Trajectory], *, values: Mapping[str, float], alpha: float = 10.0) -> list[list[float]]:
    """Rewards times 1 + min(alpha * v, 1), v the value of the task, say its share of an exam's points (RLEV,
    arXiv 2510.20187).

    values: by task id.  The factor is the same for a whole group: an estimator that divides by the group's deviation
    takes it out again; use dr_grpo or lite_ppo.
    """
    factors = []
    for trajectory in trajectories:
        if trajectory.key.task not in values:
            raise UsageError(f"rlev has no value for the task {trajectory.key.task!r}")
        factors.append(1 + min(alpha * values[trajectory.key.task], 1.0))
    return [times(t, factor) for t, factor in zip(trajectories, factors, strict=True)]


class RouterR1(Remembers):
    """Router-R1's reward (arXiv 2506.09033; the authors' code read): what it cost matters only if the answer is right.

    Bad format: -1.  Else the verified outcome (`record.success`), and where that is above 0,
    (1 - weight) * outcome + weight * cheap, cheap being 1 - the square root of the cost on a scale from the 5th to the
    95th percentile of the last `window` costs (0.5 while they do not differ: ours).  It remembers costs between batches.

    cost: of a trajectory; the number of its tokens unless said.  weight: 0 in the paper's default, which turns cost off.
    """

    memory = ("_costs",)

    def __init__(
        self,
        *,
        weight: float = 0.0,
        cost: Callable[[Trajectory], float] = length,
        well_formed: Callable[[Trajectory], bool] = lambda trajectory: True,
        window: int = 1000,
    ) -> None:
        self.weight, self.cost, self.well_formed, self.window = weight, cost, well_formed, window
        self._costs: list[float] = []

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        costs = [sqrt(self.cost(t)) if record_of(t) is not None else None for t in trajectories]
        self._costs = [*self._costs, *(cost for cost in costs if cost is not None)][-self.window :]
        return [
            nothing(t) if cost is None else only(t, self._reward(t, cost))
            for t, cost in zip(trajectories, costs, strict=True)
        ]

    def _reward(self, trajectory: Trajectory, cost: float) -> float:
        if not self.well_formed(trajectory):
            return -1.0
        return cost_gated(trajectory.success or 0.0, cheapness(cost, self._costs), self.weight)


def cost_gated(score: float, cheap: float, weight: float) -> float:
    """The score; if it is above 0, mixed with how cheap it was."""
    return score * (1 - weight) + weight * cheap if score > 0 else score


def cheapness(cost: float, seen: Sequence[float]) -> float:
    """1 at the 5th percentile of the costs seen and below, 0 at the 95th and above; 0.5 where these are equal."""
    ordered = sorted(seen)
    low, high = (_percentile(ordered, share) for share in (0.05, 0.95))
    return 1 - min(max((cost - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def _percentile(ordered: Sequence[float], share: float) -> float:
    """With linear interpolation between neighbours."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])

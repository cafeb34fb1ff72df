"""LENS's calibrated rewards as a shaper; the estimator `lens` does this and what goes with it for all-wrong groups."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym.errors import UsageError
from agentgym.trainers.advantages.confidence import calibrate, confidence
from agentgym.trainers.episodes import groups_of, record_of
from agentgym.trainers.shaping.terms import nothing, only
from agentgym.types import Trajectory


def lens(trajectories: Sequence[Trajectory], *, actor: str = "agent") -> list[list[float]]:
    """The record's total, less what a wrong answer loses for having been sure (LENS, arXiv 2510.08696).

    Paid at the last turn.  Totals must be in [0, 1].  Under GRPO, groups in which some are right get the paper's
    advantages; all-wrong ones get them larger than the paper's, which only centres them and weighs them by .25.
    """
    rewards: dict[int, float] = {}
    for group in groups_of(trajectories):
        totals = [record.total for t in group if (record := record_of(t)) is not None]
        calibrated = calibrate(totals, [_confidence(t, actor) for t in group])
        rewards |= {id(t): reward for t, reward in zip(group, calibrated, strict=True)}
    return [only(t, rewards[id(t)]) if id(t) in rewards else nothing(t) for t in trajectories]


def _confidence(trajectory: Trajectory, actor: str) -> float:
    logprobs: list[float] = []
    for index, turn in enumerate(trajectory.turns):
        if turn.observation.actor == actor:
            if turn.action.sample is None:
                raise UsageError(f"lens: turn {index} of {trajectory.key.task} carries no log-probabilities")
            logprobs += turn.action.sample.logprobs
    return confidence(logprobs, [0] * len(logprobs))

"""Rewards that look at length: correctness + gate * a term of the length. Lengths are the agent's sampled tokens.

Each adds its term to what the record paid, at the last turn; with a record of 0 and 1 that is the papers' own reward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import fmean, pstdev, stdev
from typing import Literal

from agentgym.errors import UsageError
from agentgym.trainers.episodes import groups_of, length, record_of, right
from agentgym.trainers.shaping.terms import plus, sigmoid
from agentgym.types import Trajectory

Band = Literal["high", "medium", "low"]
BANDS: tuple[Band, ...] = ("high", "medium", "low")


def laser(
    trajectories: Sequence[Trajectory], *, target: int, alpha: float = 0.5, solved: float = 1.0
) -> list[list[float]]:
    """+ alpha for a right answer of at most `target` tokens (LASER, arXiv 2505.15612; the authors' code read)."""
    return [plus(t, alpha if right(t, solved) and length(t) <= target else 0.0) for t in trajectories]


def laser_d(
    trajectories: Sequence[Trajectory], *, targets: Mapping[Band, float], alpha: float = 0.5, solved: float = 1.0
) -> list[list[float]]:
    """LASER with a target for each band of difficulty, the band being that of the trajectory's group (LASER-D,
    arXiv 2505.15612).

    targets: tokens, for "high", "medium" and "low" accuracy; `controllers.LaserTargets` moves them.
    """
    if missing := [band for band in BANDS if band not in targets]:
        raise UsageError(f"laser_d needs a target for each band, not given: {', '.join(missing)}")
    limit = {}
    for group in groups_of(trajectories):
        accuracy = fmean(right(t, solved) for t in group)
        limit[group[0].group] = targets[band_of(accuracy)]
    terms = [alpha if right(t, solved) and length(t) <= limit[t.group] else 0.0 for t in trajectories]
    return [plus(t, term) for t, term in zip(trajectories, terms, strict=True)]


def band_of(accuracy: float) -> Band:
    """High from 2/3, medium from 1/3, low below."""
    return "high" if accuracy >= 2 / 3 else "medium" if accuracy >= 1 / 3 else "low"


def kimi(trajectories: Sequence[Trajectory], *, weight: float, solved: float = 1.0) -> list[list[float]]:
    """+ weight * (0.5 - (L - Lmin) / (Lmax - Lmin)) over the group; wrong answers get it only where it is negative.

    Kimi k1.5's length reward (arXiv 2501.12599); its weight is not known to us.  0 where all are of one length.
    """
    terms: dict[int, float] = {}
    for group in groups_of(trajectories):
        lengths = [length(t) for t in group]
        low, high = min(lengths), max(lengths)
        for t, own in zip(group, lengths, strict=True):
            term = 0.5 - (own - low) / (high - low) if high > low else 0.0
            terms[id(t)] = weight * (term if right(t, solved) else min(0.0, term))
    return [plus(t, terms.get(id(t), 0.0)) for t in trajectories]


def grpo_lambda(
    trajectories: Sequence[Trajectory],
    *,
    a: float = 0.2,
    share: float = 0.2,
    sample_std: bool = False,
    solved: float = 1.0,
) -> list[list[float]]:
    """- a * sigmoid((L - mean) / std) for right answers, in the groups with the best accuracy only.

    "Stable RL for Efficient Reasoning" (arXiv 2505.18086): mean and deviation over the group's right answers; the best
    max(1, ceil(share * groups)), ties to the earlier one.  Wrong answers keep what the record paid.  The paper's `a` and
    kind of deviation are not known to us.  (Not GRPO-lambda of eligibility traces, arXiv 2510.00194.)
    """
    groups = groups_of(trajectories)
    ranked = sorted(groups, key=lambda group: -fmean(right(t, solved) for t in group))
    best = ranked[: max(1, ceil(share * len(groups) - 1e-9))]
    terms: dict[int, float] = {}
    for group in best:
        winners = [t for t in group if right(t, solved)]
        for t, z in zip(winners, _z([length(t) for t in winners], sample_std), strict=True):
            terms[id(t)] = -a * sigmoid(z)
    return [plus(t, terms.get(id(t), 0.0)) for t in trajectories]


def overlong(trajectories: Sequence[Trajectory], *, limit: int, buffer: int) -> list[list[float]]:
    """DAPO's soft overlong punishment (arXiv 2503.14476): 0 up to limit - buffer tokens, falling to -1 at `limit`."""
    if not 0 < buffer <= limit:
        raise UsageError(f"overlong needs 0 < buffer <= limit, got buffer {buffer} and limit {limit}")
    counted = [t if record_of(t) is not None else None for t in trajectories]
    terms = [0.0 if t is None else max(-1.0, min(0.0, (limit - buffer - length(t)) / buffer)) for t in counted]
    return [plus(t, term) for t, term in zip(trajectories, terms, strict=True)]


def _z(lengths: Sequence[int], sample_std: bool) -> list[float]:
    if len(set(lengths)) < 2:
        return [0.0] * len(lengths)
    middle, spread = fmean(lengths), stdev(lengths) if sample_std else pstdev(lengths)
    return [(own - middle) / spread for own in lengths]

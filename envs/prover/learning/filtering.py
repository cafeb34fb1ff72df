"""Which tactics are worth learning from: those whose perplexity is neither low (known already) nor high (noise).

BFS-Prover-V2 drops both tails of the distribution over tactics and gives no cut-offs that we know of: the quantiles are
configuration, and what they came to is part of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agentgym.envs.prover.learning.transitions import Transition
from agentgym.errors import UsageError


@dataclass(slots=True, frozen=True)
class Kept:
    """What was kept, in its order, and between which perplexities. `unsayable`: tactics that the policy can not say."""

    transitions: list[Transition]
    low: float
    high: float
    unsayable: int


def centre(transitions: Sequence[Transition], perplexities: Sequence[float], low: float, high: float) -> Kept:
    """The transitions between two quantiles of their perplexity, both included. (0, 1) keeps all that can be said.

    Raises UsageError unless 0 <= low <= high <= 1.
    """
    if not 0 <= low <= high <= 1:
        raise UsageError(f"quantiles must be 0 <= low <= high <= 1, not {low} and {high}")
    sayable = sorted(each for each in perplexities if math.isfinite(each))
    if not sayable:
        return Kept([], math.nan, math.nan, len(transitions))
    least, most = _quantile(sayable, low), _quantile(sayable, high)
    kept = [each for each, value in zip(transitions, perplexities, strict=True) if least <= value <= most]
    return Kept(kept, least, most, len(transitions) - len(sayable))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """By linear interpolation between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])

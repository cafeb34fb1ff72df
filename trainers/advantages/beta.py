"""BNPO, Beta Normalisation Policy Optimisation (arXiv 2506.02864; the authors' code read).

Not TRL's `loss_type="bnpo"`, which is only a mean over the tokens of the local batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, inf, lgamma, log
from statistics import variance

from agentgym.errors import UsageError
from agentgym.trainers.advantages.batch import Batch, mean, needed

INVERSE_AT_MOST = 1e6


def bnpo(
    batch: Batch, *, low: float = 0.0, high: float = 1.0, channels: Sequence[str] | None = None
) -> list[list[float]]:
    """(r - p) / f(p; alpha, beta): r mapped from [low, high] to [0, 1], p its group mean, f the Beta density.

    alpha and beta follow, by the method of moments, from how p varies over the batch's groups.  With `channels`, each is
    normalised apart, with an alpha and beta of its own, and the advantages are averaged: never normalise their sum.
    With a single group, or if p is the same in all, it is r - p (REINFORCE with baseline).
    Raises UsageError for a reward outside [low, high].
    """
    if channels is None:
        return batch.spread(_one_reward(batch, batch.totals, low, high))
    if not channels:
        raise UsageError("bnpo needs at least one channel, or none said: None takes the rewards as they are")
    known = needed(batch.channels, "bnpo with `channels`", "channels")
    if missing := [name for name in channels if name not in known]:
        raise UsageError(f"bnpo: the batch has no channels {missing}; there are {', '.join(known)}")
    each = [_one_reward(batch, [fsum(turns) for turns in known[name]], low, high) for name in channels]
    return batch.spread([mean(numbers) for numbers in zip(*each, strict=True)])


def beta_parameters(means: Sequence[float]) -> tuple[float, float]:
    """alpha and beta of the normaliser, both at least 1, from the group means (of rewards in [0, 1])."""
    if len(means) < 2 or min(means) == max(means):
        return 1.0, 1.0
    mu = mean(means)
    size = mu * (1 - mu) / variance(means) - 1
    return max(1.0, 1 + size * mu / 3), max(1.0, 1 + size * (1 - mu) / 3)


def beta_density(p: float, alpha: float, beta: float) -> float:
    """The density at p in [0, 1] of the Beta law with these parameters, both at least 1."""
    constant = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
    return exp(constant + _scaled_log(alpha - 1, p) + _scaled_log(beta - 1, 1 - p))


def _one_reward(batch: Batch, rewards: Sequence[float], low: float, high: float) -> list[float]:
    groups = batch.members()
    for index in (index for members in groups for index in members):
        if not low <= rewards[index] <= high:
            raise UsageError(
                f"bnpo: the reward {rewards[index]} of trajectory {index} is not in [{low}, {high}]: set `low` and `high`"
            )
    unit = [(reward - low) / (high - low) for reward in rewards]
    means = [mean([unit[i] for i in members]) for members in groups]
    alpha, beta = beta_parameters(means)
    numbers = [0.0] * len(rewards)
    for members, p in zip(groups, means, strict=True):
        if len({unit[i] for i in members}) > 1:
            density = beta_density(p, alpha, beta)
            inverse = INVERSE_AT_MOST if density <= 0 else min(1 / density, INVERSE_AT_MOST)
            for i in members:
                numbers[i] = (unit[i] - p) * inverse
    return numbers


def _scaled_log(factor: float, x: float) -> float:
    if factor == 0:
        return 0.0
    return factor * log(x) if x > 0 else -inf

"""Intervals over seeds and episodes: a bootstrap that draws seeds and, within each, held-out episodes. No files.

Three seeds are few: such an interval says how far these runs vary, hardly more about seeds that were not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from random import Random
from statistics import fmean, quantiles

from pydantic import BaseModel, ConfigDict

from agentgym.errors import UsageError
from agentgym.seeds import derive_seed
from agentgym.trainers.learning.trial import Outcome

RESAMPLES = 1000


class Interval(BaseModel):
    """A mean over seeds, with its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(by_seed: Sequence[Sequence[float]]) -> Interval:
    """The mean of the seeds' means; every draw takes as many seeds as there are, and as many episodes of each.

    Raises UsageError if there is no seed, or one without episodes.
    """
    return apart(by_seed, [[0.0]] * len(by_seed))


def apart(by_seed: Sequence[Sequence[float]], less: Sequence[Sequence[float]]) -> Interval:
    """The difference of two means, paired by seed and not by episode. Errors as `bootstrap`'s."""
    pairs = list(zip(by_seed, less, strict=True))
    if not pairs or not all(first and second for first, second in pairs):
        raise UsageError("no interval: there is no seed, or one without episodes")
    random = Random(derive_seed("learning", len(pairs)))

    def drawn(episodes: Sequence[float]) -> float:
        return fsum(random.choices(episodes, k=len(episodes))) / len(episodes)

    means = []
    for _ in range(RESAMPLES):
        seeds = random.choices(pairs, k=len(pairs))
        means.append(fmean(drawn(first) - drawn(second) for first, second in seeds))
    cuts = quantiles(means, n=40, method="inclusive")
    return Interval(mean=fmean(fmean(a) - fmean(b) for a, b in pairs), low=cuts[0], high=cuts[-1])


def pooled(outcomes: Sequence[Outcome], arm: str, number: str) -> Interval:
    """A number of an arm's held-out episodes."""
    return bootstrap([getattr(outcome.held_out, number) for outcome in outcomes if outcome.arm == arm])


def differences(outcomes: Sequence[Outcome], arm: str, over: str, number: str) -> Interval:
    """`arm` less `over`, paired: both played the same held-out episodes of each seed."""
    found = {(outcome.arm, outcome.seed): getattr(outcome.held_out, number) for outcome in outcomes}
    seeds = sorted({seed for name, seed in found if name == arm})
    pairs = [zip(found[arm, seed], found[over, seed], strict=True) for seed in seeds]
    return bootstrap([[after - before for after, before in pair] for pair in pairs])

"""Two runs on the same tasks: the difference of their success, by a paired bootstrap over tasks. Seeded, no files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from agentgym.errors import UsageError
from agentgym.seeds import derive_seed


class Comparison(BaseModel):
    """`difference` is b - a over the `tasks` that both runs scored; [low, high] is its 95% interval.

    `p_value`: two-sided, how often resampled tasks put the difference on the other side of 0.  `only_a` and `only_b`
    count tasks left out because the other run has no score for them.
    """

    model_config = ConfigDict(frozen=True)

    tasks: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float
    better: int
    worse: int
    only_a: int
    only_b: int

    @property
    def significant(self) -> bool:
        """Whether 0 is outside the interval."""
        return not self.low <= 0.0 <= self.high


def compare(
    a: Mapping[str, Sequence[float]], b: Mapping[str, Sequence[float]], *, resamples: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare two runs given as success values by task. Raises UsageError if they have no task in common."""
    common = sorted(a.keys() & b.keys())
    if not common:
        raise UsageError("the two runs have no scored task in common: there is nothing to compare")
    pairs = [(fmean(a[task]), fmean(b[task])) for task in common]
    differences = [after - before for before, after in pairs]
    random = Random(derive_seed("bootstrap", seed, len(common)))
    n = len(common)
    means = sorted(math.fsum(random.choices(differences, k=n)) / n for _ in range(resamples))
    below = sum(mean <= 0 for mean in means)
    above = sum(mean >= 0 for mean in means)
    return Comparison(
        tasks=n,
        a=fmean(before for before, _ in pairs),
        b=fmean(after for _, after in pairs),
        difference=fmean(differences),
        low=_quantile(means, 0.025),
        high=_quantile(means, 0.975),
        p_value=min(1.0, 2 * (min(below, above) + 1) / (resamples + 1)),
        better=sum(difference > 0 for difference in differences),
        worse=sum(difference < 0 for difference in differences),
        only_a=len(a.keys() - b.keys()),
        only_b=len(b.keys() - a.keys()),
    )


def _quantile(ordered: Sequence[float], q: float) -> float:
    position = q * (len(ordered) - 1)
    low = math.floor(position)
    high = math.ceil(position)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)

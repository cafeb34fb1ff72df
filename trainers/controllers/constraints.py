"""Keeping a proxy reward where it still says the truth: multipliers, and when to stop.

"Confronting Reward Model Overoptimization with Constrained RLHF" (arXiv 2310.04373; the authors' code read).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, tanh
from statistics import fmean
from typing import ClassVar, Literal

from agentgym.errors import UsageError
from agentgym.trainers.controllers.statistics import statistic
from agentgym.trainers.memory import Remembers

Squash = Literal["sigmoid", "tanh", "none"]


@dataclass(slots=True)
class Lagrange(Remembers):
    """A weight for each component of the reward, falling while the component is above its threshold, else rising.

    thresholds: by component, the point beyond which more of it is no longer worth anything.  The statistics are the
    components' means.  squash: "sigmoid" for at least the threshold, "tanh" for the threshold itself (weights may be
    negative), "none" for a multiplier that is only kept from falling below 0.  Answers with the weight of each and of
    "kl": the number of components less their sum.  Multipliers start at 0 unless given (the authors draw N(0, .01)).
    """

    memory: ClassVar[tuple[str, ...]] = ("multipliers", "_speed")
    thresholds: Mapping[str, float]
    multipliers: dict[str, float] = field(default_factory=dict)
    lr: float = 0.01
    momentum: float = 0.1
    squash: Squash = "sigmoid"
    _speed: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if "kl" in self.thresholds:
            raise UsageError("'kl' is the name of the weight that is left over: name no component so")
        self.multipliers = dict.fromkeys(self.thresholds, 0.0) | self.multipliers

    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]:
        for name, threshold in self.thresholds.items():
            excess = statistic(statistics, name, "Lagrange") - threshold
            slope = self._slope(self.multipliers[name]) * excess
            self._speed[name] = self.momentum * self._speed.get(name, 0.0) + slope
            self.multipliers[name] -= self.lr * self._speed[name]
            if self.squash == "none":
                self.multipliers[name] = max(0.0, self.multipliers[name])
        return self.weights()

    def weights(self) -> dict[str, float]:
        made = {name: self._squashed(self.multipliers[name]) for name in self.thresholds}
        return {"kl": len(made) - sum(made.values())} | made

    def _squashed(self, x: float) -> float:
        return (1 + tanh(x / 2)) / 2 if self.squash == "sigmoid" else tanh(x) if self.squash == "tanh" else x

    def _slope(self, x: float) -> float:
        s = self._squashed(x)
        return s * (1 - s) if self.squash == "sigmoid" else 1 - s * s if self.squash == "tanh" else 1.0


def mixed(weights: Mapping[str, float], advantages: Mapping[str, Sequence[Sequence[float]]]) -> list[list[float]]:
    """The weighted sum of advantages, one number a token; `advantages` by the names of `weights`, "kl" among them."""
    if set(weights) != set(advantages):
        raise UsageError(f"there are weights for {sorted(weights)}, but advantages for {sorted(advantages)}")
    names = list(weights)
    return [
        [
            sum(weights[name] * number for name, number in zip(names, numbers, strict=True))
            for numbers in zip(*own, strict=True)
        ]
        for own in zip(*(advantages[name] for name in names), strict=True)
    ]


@dataclass(slots=True)
class Goodhart(Remembers):
    """`stop` is 1 once the proxy has stopped tracking the truth: it still rises, the truth has long been better.

    The statistics are `proxy` (say, training reward) and `truth` (say, validated outcome); `every` calls make one
    evaluation, of their means.  It stops when, for `patience` evaluations in a row, the truth was below its best by more than `tolerance` and the
    proxy above what it was at that best.  `threshold` is the proxy at the truth's best: a threshold for `Lagrange`.
    The rule is ours.
    """

    memory: ClassVar[tuple[str, ...]] = ("best", "best_step", "threshold", "strikes", "_seen")
    patience: int = 3
    tolerance: float = 0.0
    every: int = 1
    best: float = field(default=-inf, init=False)
    best_step: int = field(default=-1, init=False)
    threshold: float = field(default=-inf, init=False)
    strikes: int = field(default=0, init=False)
    _seen: list[tuple[float, float]] = field(default_factory=list, init=False)

    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]:
        self._seen.append((statistic(statistics, "proxy", "Goodhart"), statistic(statistics, "truth", "Goodhart")))
        if len(self._seen) >= self.every:
            self._judge(step, *(fmean(numbers) for numbers in zip(*self._seen, strict=True)))
            self._seen = []
        return {"stop": float(self.strikes >= self.patience), "threshold": self.threshold}

    def _judge(self, step: int, proxy: float, truth: float) -> None:
        if truth > self.best:
            self.best, self.best_step, self.threshold, self.strikes = truth, step, proxy, 0
        else:
            apart = truth < self.best - self.tolerance and proxy > self.threshold
            self.strikes = self.strikes + 1 if apart else 0

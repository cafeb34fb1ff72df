"""Scalars that follow what was measured: the KL's weight, the turns allowed, the lengths aimed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import ClassVar

from agentgym.trainers.controllers.statistics import statistic
from agentgym.trainers.episodes import groups_of, length, right
from agentgym.trainers.memory import Remembers
from agentgym.trainers.shaping.lengths import BANDS, Band
from agentgym.types import Trajectory


@dataclass(slots=True)
class AdaptiveKL(Remembers):
    """`beta`, raised while the statistic `kl` is above `target` and lowered while it is below (arXiv 1909.08593).

    beta *= 1 + gain * clip(kl / target - 1, -.2, .2). Formula and gain from memory; `beta` starts where you say.
    """

    memory: ClassVar[tuple[str, ...]] = ("beta",)
    target: float
    beta: float
    gain: float = 0.1

    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]:
        error = min(max(statistic(statistics, "kl", "AdaptiveKL") / self.target - 1, -0.2), 0.2)
        self.beta *= 1 + self.gain * error
        return {"beta": self.beta}


@dataclass(slots=True)
class TurnBudget(Remembers):
    """`max_turns`, half-way to what is used after every `every` steps (WMAct's annealing, arXiv 2511.23476).

    The statistic `turns` is a batch's mean; what counts is its mean since the last change. Round up to whole turns.
    """

    memory: ClassVar[tuple[str, ...]] = ("max_turns", "_used")
    max_turns: float = 30.0
    every: int = 100
    _used: list[float] = field(default_factory=list, init=False)

    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]:
        self._used.append(statistic(statistics, "turns", "TurnBudget"))
        if len(self._used) == self.every:
            self.max_turns = (fmean(self._used) + self.max_turns) / 2
            self._used.clear()
        return {"max_turns": self.max_turns}


@dataclass(slots=True)
class LaserTargets(Remembers):
    """LASER-D's target lengths by band of difficulty, from episodes of a fixed monitor set (arXiv 2505.15612).

    Before the first measurement each target is `upper`.  lower, upper, step: the candidates, in tokens.
    every: steps between measurements. monitor: how many tasks the set has, at most; samples: episodes of each.
    """

    memory: ClassVar[tuple[str, ...]] = ("targets", "measured")
    lower: int
    upper: int
    step: int = 1024
    every: int = 20
    monitor: int = 500
    samples: int = 8
    targets: dict[Band, float] = field(init=False)
    measured: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.targets = {band: float(self.upper) for band in BANDS}

    def due(self, step: int) -> bool:
        """Whether to measure before this step; if so, it is taken to be done."""
        if self.measured is not None and step < self.measured + self.every:
            return False
        self.measured = step
        return True

    def measure(self, monitored: Sequence[Trajectory], samples: int, solved: float = 1.0) -> dict[Band, float]:
        """The new targets. samples: how many a group has (8 in the code). A band without episodes keeps its target."""
        lengths: dict[Band, list[int]] = {}
        for group in groups_of(monitored):
            accuracy = fmean(right(t, solved) for t in group)
            lengths.setdefault(monitor_band(accuracy), []).extend(length(t) for t in group)
        for band, own in lengths.items():
            self.targets[band] = self.target(band, own, samples)
        return dict(self.targets)

    def target(self, band: Band, lengths: Sequence[int], samples: int) -> float:
        """The smallest candidate at which at least one right answer of a group is expected to fit, else `upper`."""
        expected = {"high": 2 * samples // 3, "medium": samples // 3, "low": 1}[band]
        for candidate in range(self.lower, self.upper + 1, self.step):
            if sum(own <= candidate for own in lengths) * expected >= len(lengths):
                return float(candidate)
        return float(self.upper)


def monitor_band(accuracy: float) -> Band:
    """As the code has it: on the monitor set an accuracy on an edge falls below it, unlike in the reward."""
    return "low" if accuracy <= 1 / 3 else "medium" if accuracy <= 2 / 3 else "high"

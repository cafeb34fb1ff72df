"""Scalars that depend on the step alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi

from agentgym.trainers.memory import Remembers


@dataclass(slots=True, frozen=True)
class ChordMu(Remembers):
    """`mu`, the weight of imitation in CHORD (arXiv 2508.11408; the authors' code read).

    From 0 to `peak` over `warmup` steps, along a cosine to `valley` over `decay` steps, then constant.  The defaults are
    CHORD-mu's; CHORD-phi keeps .1.
    """

    warmup: int = 0
    decay: int = 200
    peak: float = 0.9
    valley: float = 0.05

    def __call__(self, step: int, statistics: Mapping[str, float] | None = None) -> dict[str, float]:
        return {"mu": self.at(step)}

    def at(self, step: int) -> float:
        if step < self.warmup:
            return self.peak * step / self.warmup
        if step >= self.warmup + self.decay:
            return self.valley
        return self.valley + (self.peak - self.valley) * (1 + cos(pi * (step - self.warmup) / self.decay)) / 2

"""Controllers: from the step and running statistics to scalars that steer training. No torch, no trainer.

Each is called once a step with numbers by name, and answers with numbers by name.  What it remembers are plain fields.
`LaserTargets` is the exception: its statistic is the episodes of a monitor set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agentgym.trainers.controllers.constraints import Goodhart, Lagrange, mixed
from agentgym.trainers.controllers.feedback import AdaptiveKL, LaserTargets, TurnBudget
from agentgym.trainers.controllers.schedules import ChordMu


class Controller(Protocol):
    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]: ...


__all__ = ["AdaptiveKL", "ChordMu", "Controller", "Goodhart", "Lagrange", "LaserTargets", "TurnBudget", "mixed"]

"""Controllers: from the step and running statistics to scalars that steer training. No torch, no trainer.

Each is called once a batch with numbers by name, and answers with numbers by name.  What it remembers are plain fields.
`LaserTargets` is the exception: its statistic is the episodes of a monitor set.  `controller(name, **options)` makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agentgym.trainers.controllers.constraints import Goodhart, Lagrange, mixed
from agentgym.trainers.controllers.feedback import AdaptiveKL, LaserTargets, TurnBudget
from agentgym.trainers.controllers.schedules import ChordMu
from agentgym.trainers.names import choose


class Controller(Protocol):
    def __call__(self, step: int, statistics: Mapping[str, float]) -> dict[str, float]: ...


CONTROLLERS: dict[str, Callable[..., Any]] = {
    "adaptive_kl": AdaptiveKL,
    "turn_budget": TurnBudget,
    "laser_targets": LaserTargets,
    "chord_mu": ChordMu,
    "lagrange": Lagrange,
    "goodhart": Goodhart,
}

__all__ = [
    "CONTROLLERS",
    "AdaptiveKL",
    "ChordMu",
    "Controller",
    "Goodhart",
    "Lagrange",
    "LaserTargets",
    "TurnBudget",
    "controller",
    "mixed",
]


def controller(name: str, **options: Any) -> Any:
    """A new controller called `name`. Raises UsageError naming those that there are."""
    return choose("controller", CONTROLLERS, name, options)()

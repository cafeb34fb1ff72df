"""Steering: the controllers of a run, fed once a batch, and what their numbers mean to the trainer's parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from agentgym.trainers.advantages import Batch, Estimator
from agentgym.trainers.controllers import Goodhart, LaserTargets, controller, mixed


class Steering:
    """options: of each controller, by name. The properties are None where no controller says anything of it."""

    def __init__(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        self.controllers = {name: controller(name, **given) for name, given in options.items()}
        self._said: dict[str, dict[str, float]] = {}

    def update(self, step: int, statistics: Mapping[str, float]) -> None:
        """Feed what a batch showed; the numbers hold for its loss, and where they steer rollouts for the next batch."""
        for name, each in self.controllers.items():
            if not isinstance(each, LaserTargets):
                self._said[name] = each(step, statistics)

    def beta(self, configured: float) -> float:
        """The KL's weight: adaptive, or as configured; times what multipliers leave for it."""
        adaptive = self._said.get("adaptive_kl", {}).get("beta", configured)
        return adaptive * self._said.get("lagrange", {}).get("kl", 1.0)

    @property
    def weights(self) -> dict[str, float] | None:
        """Of the reward's components."""
        said = self._said.get("lagrange")
        return None if said is None else {name: weight for name, weight in said.items() if name != "kl"}

    def estimate(self, estimator: Estimator, batch: Batch) -> list[list[float]]:
        """The estimator's advantages; with multipliers, those of each component of the reward, weighed and summed."""
        if (weights := self.weights) is None:
            return estimator(batch)
        components = {name: (batch.channels or {})[name] for name in weights}
        return mixed(weights, {name: estimator(replace(batch, rewards=own)) for name, own in components.items()})

    @property
    def mu(self) -> float | None:
        """CHORD's weight of imitation."""
        return self._said.get("chord_mu", {}).get("mu")

    @property
    def max_turns(self) -> int | None:
        """Of an episode, whatever its environment allows beyond it."""
        budget = self.controllers.get("turn_budget")
        return None if budget is None else ceil(budget.max_turns)

    @property
    def laser(self) -> LaserTargets | None:
        return self.controllers.get("laser_targets")

    @property
    def stop(self) -> str | None:
        """Why training should end here."""
        if not self._said.get("goodhart", {}).get("stop"):
            return None
        watch: Goodhart = self.controllers["goodhart"]
        return (
            f"the reward that is trained on no longer tracks the outcome: success was best at step {watch.best_step} "
            f"({watch.best:.3g}) and has been below it for {watch.strikes} evaluations while the reward was above "
            f"{watch.threshold:.3g}"
        )

    @property
    def numbers(self) -> dict[str, float]:
        """For the logs."""
        return {f"{name}/{key}": value for name, said in self._said.items() for key, value in said.items()}

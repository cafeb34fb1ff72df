"""Policy losses: pure functions of log-probabilities, advantages and masks, in torch. No model, no trainer.

`policy_loss(name, **options)` chooses one.  Critic and added losses are in `value.py` and `auxiliary.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from agentgym.trainers.losses.batch import LossBatch, PolicyLoss, Statistics
from agentgym.trainers.losses.clip import cispo, clipped, copo, gspo
from agentgym.trainers.losses.contrast import disco, drpo
from agentgym.trainers.losses.rec import opmd, rec
from agentgym.trainers.names import choose

POLICY_LOSSES: dict[str, Callable[..., tuple[Tensor, Statistics]]] = {
    "clipped": clipped,
    "cispo": cispo,
    "gspo": gspo,
    "copo": copo,
    "rec": rec,
    "opmd": opmd,
    "disco": disco,
    "drpo": drpo,
}

__all__ = ["POLICY_LOSSES", "LossBatch", "PolicyLoss", "policy_loss"]


def policy_loss(name: str, **options: Any) -> PolicyLoss:
    """The loss called `name`, with its options bound. Raises UsageError naming those that there are."""
    return choose("policy loss", POLICY_LOSSES, name, options)

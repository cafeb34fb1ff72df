"""LossBatch: what a policy loss may look at. No losses here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from agentgym.errors import UsageError

T = TypeVar("T")


@dataclass(slots=True)
class LossBatch:
    """Tensors of shape (sequences, tokens) but where said; in a trainer a sequence is a trajectory, all its rows.

    lp: log-probabilities under the policy that learns, with gradient. lp_old: under the one that sampled. lp_ref: under
    the reference. mask: 1 on sampled tokens. advantages: one a token. rewards: (sequences,), in a trainer the verified
    outcome. groups: a name a sequence. across, weight: (sequences,), COPO's.
    """

    lp: Tensor
    lp_old: Tensor
    advantages: Tensor
    mask: Tensor
    lp_ref: Tensor | None = None
    groups: Sequence[str] | None = None
    rewards: Tensor | None = None
    across: Tensor | None = None
    weight: Tensor | None = None

    @property
    def log_ratio(self) -> Tensor:
        """lp - lp_old, 0 where nothing was sampled."""
        return (self.lp - self.lp_old).masked_fill(self.mask == 0, 0.0)


Statistics = dict[str, float]
PolicyLoss = Callable[[LossBatch], tuple[Tensor, Statistics]]


def needed(field: T | None, method: str, name: str) -> T:
    """`field`, which `method` can not do without. Raises UsageError naming both."""
    if field is None:
        raise UsageError(f"{method} needs `LossBatch.{name}`, which this batch does not carry")
    return field

"""The critic's loss. Targets come from `advantages.gae.targets`."""

from __future__ import annotations

import torch
from torch import Tensor

from agentgym.trainers.losses.aggregate import masked_mean
from agentgym.trainers.losses.batch import Statistics


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, *, clip: float | None = 0.2
) -> tuple[Tensor, Statistics]:
    """Half the mean over kept tokens of max((V - R)², (V_old + clip(V - V_old, ±clip) - R)²), as in TRL's PPO.

    All of shape (sequences, tokens); `values` has the gradient. clip=None is the plain squared error.  Statistics:
    explained variance 1 - var(R - V) / var(R) (0 where R does not vary) and the share of tokens that are clipped.
    """
    plain = (values - returns).square()
    losses, clipped = plain, torch.zeros_like(plain)
    if clip is not None:
        near = old_values + (values - old_values).clamp(-clip, clip)
        losses = torch.maximum(plain, (near - returns).square())
        clipped = (losses > plain).to(plain.dtype)
    statistics = {
        "value_clipped": float(masked_mean(clipped.detach(), mask)),
        "explained_variance": _explained(values.detach(), returns, mask),
    }
    return 0.5 * masked_mean(losses, mask), statistics


def _explained(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    truth = returns[mask != 0]
    spread = float(truth.var(correction=0)) if len(truth) else 0.0
    return 1 - float((truth - values[mask != 0]).var(correction=0)) / spread if spread > 0 else 0.0

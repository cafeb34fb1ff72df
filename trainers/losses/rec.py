"""REC and OPMD: REINFORCE without importance weights, kept stable by leaving tokens out (arXiv 2509.24203).

As in the authors' code: the ratio only says which tokens count (and, if asked, how much); no gradient flows through it.
REC's advantage is `dr_grpo`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from agentgym.errors import UsageError
from agentgym.trainers.losses.aggregate import Aggregation, aggregate, masked_mean
from agentgym.trainers.losses.batch import LossBatch, Statistics

Region = Literal["one_side", "two_side", "ring", "all"]
Weight = Literal["none", "importance", "advantage"]


def rec(
    batch: LossBatch,
    *,
    region: Region = "one_side",
    low: float = 0.2,
    high: float = 0.2,
    far_low: float = 0.6,
    far_high: float = 2.0,
    weight: Weight = "none",
    ceiling: float | None = None,
    temperature: float | None = None,
    k2: float = 0.0,
    forward: float = 0.0,
    aggregation: Aggregation = "token_mean",
    constant: float | None = None,
) -> tuple[Tensor, Statistics]:
    """-weight A lp over the tokens of `region`, + k2 (lp - lp_old)² - forward lp over all.

    weight: none; the ratio ("importance", at most `ceiling` if given); exp(A / temperature) ("advantage": RED-Weight).
    """
    ratio = batch.log_ratio.exp().detach()
    keep = kept(ratio, batch.advantages, region, low, high, far_low, far_high).to(ratio.dtype)
    losses = -_weights(ratio, batch.advantages, weight, ceiling, temperature) * keep * batch.advantages * batch.lp
    losses = losses + k2 * batch.log_ratio.square() - forward * batch.lp
    statistics = {"kept": float(masked_mean(keep, batch.mask)), "ratio": float(masked_mean(ratio, batch.mask))}
    return aggregate(losses, batch.mask, aggregation, constant), statistics


def opmd(
    batch: LossBatch, *, tau: float = 1.0, aggregation: Aggregation = "token_mean", constant: float | None = None
) -> tuple[Tensor, Statistics]:
    """-A lp / (1 + tau), A of the estimator of the same name (OPMD, as in Trinity-RFT)."""
    loss, statistics = rec(batch, region="all", aggregation=aggregation, constant=constant)
    return loss / (1 + tau), statistics


def kept(
    ratio: Tensor,
    advantages: Tensor,
    region: Region,
    low: float = 0.2,
    high: float = 0.2,
    far_low: float = 0.6,
    far_high: float = 2.0,
) -> Tensor:
    """Which tokens count. one_side is where the clipped loss has a gradient; ring adds what lies far out on the side
    that is safe to pull back from."""
    up, down = advantages >= 0, advantages <= 0
    inside = (ratio >= 1 - low) & (ratio <= 1 + high)
    match region:
        case "one_side":
            return ~(up & (ratio > 1 + high)) & ~(down & (ratio < 1 - low))
        case "two_side":
            return inside
        case "ring":
            return inside | (up & (ratio <= 1 - far_low)) | (down & (ratio >= 1 + far_high))
        case "all":
            return torch.ones_like(inside)
    raise UsageError(f"no region {region!r}: there are one_side, two_side, ring, all")


def _weights(
    ratio: Tensor, advantages: Tensor, weight: Weight, ceiling: float | None, temperature: float | None
) -> Tensor:
    match weight:
        case "none":
            return torch.ones_like(ratio)
        case "importance":
            return ratio if ceiling is None else ratio.clamp(max=ceiling)
        case "advantage":
            if not temperature:
                raise UsageError("rec's weight 'advantage' needs `temperature`: no default is known to fit")
            return (advantages / temperature).exp()
    raise UsageError(f"no weight {weight!r}: there are none, importance, advantage")

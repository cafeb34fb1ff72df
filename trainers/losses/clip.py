"""The clip family: surrogate losses that stop pushing where the policy has already moved away from the sampler.

Advantages are taken as they come, one a token.  At ratio 1 the gradient of each is that of -advantage * lp.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agentgym.trainers.losses.aggregate import Aggregation, aggregate, masked_mean, sequence_means
from agentgym.trainers.losses.batch import LossBatch, Statistics, needed
from agentgym.trainers.losses.kl import Kind, kl


def clipped(
    batch: LossBatch,
    *,
    low: float = 0.2,
    high: float = 0.2,
    dual: float | None = None,
    beta: float = 0.0,
    estimator: Kind = "k3",
    aggregation: Aggregation = "token_mean",
    constant: float | None = None,
) -> tuple[Tensor, Statistics]:
    """-min(ratio A, clip(ratio, 1 - low, 1 + high) A) + beta KL (PPO, arXiv 1707.06347).

    low=.2, high=.28 is DAPO's clip-higher.  dual: where A < 0 the loss is at most dual * -A (dual clip, arXiv 1912.09729:
    3; BNPO's script: 10).  beta > 0 needs `lp_ref`.
    """
    ratio = batch.log_ratio.exp()
    losses = surrogate(ratio, batch.advantages, low, high, dual)
    if beta:
        losses = losses + beta * kl(batch.lp, needed(batch.lp_ref, "clipped with beta", "lp_ref"), estimator)
    return aggregate(losses, batch.mask, aggregation, constant), _statistics(batch, ratio, low, high)


def gspo(batch: LossBatch, *, low: float = 3e-4, high: float = 4e-4, token: bool = False) -> tuple[Tensor, Statistics]:
    """Clipped, with one ratio a sequence: exp(mean over its tokens of lp - lp_old) (GSPO, arXiv 2507.18071).

    token=True is GSPO-token: the same ratio as a value, each token's gradient its own, for advantages that differ
    within a sequence.  Bounds as in the released code.
    """
    whole = sequence_ratio(batch)
    ratio = whole.detach() * (batch.log_ratio - batch.log_ratio.detach()).exp() if token else whole.expand_as(batch.lp)
    losses = surrogate(ratio, batch.advantages, low, high)
    return aggregate(losses, batch.mask, "seq_mean_token_mean"), _statistics(batch, ratio, low, high)


def cispo(
    batch: LossBatch, *, ceiling: float, aggregation: Aggregation = "token_mean", constant: float | None = None
) -> tuple[Tensor, Statistics]:
    """-stop_gradient(min(ratio, ceiling)) A lp (CISPO, arXiv 2506.13585): no token is silenced, its weight is bounded.

    The paper's ceiling is not known to us: it has no default.
    """
    ratio = batch.log_ratio.exp().detach()
    losses = -ratio.clamp(max=ceiling) * batch.advantages * batch.lp
    return aggregate(losses, batch.mask, aggregation, constant), _statistics(batch, ratio, 1.0, ceiling - 1)


def copo(
    batch: LossBatch,
    *,
    low: float = 0.2,
    high: float = 0.2,
    aggregation: Aggregation = "token_mean",
    constant: float | None = None,
) -> tuple[Tensor, Statistics]:
    """weight * L(advantages) + (1 - weight) * L(across), L clipped (COPO, arXiv 2508.04138).

    Needs `across` and `weight`; `advantages` are the local ones: `consistency.blend` makes all three.
    """
    ratio = batch.log_ratio.exp()
    across = needed(batch.across, "copo", "across").unsqueeze(-1).expand_as(ratio)
    weight = needed(batch.weight, "copo", "weight").unsqueeze(-1)
    local = surrogate(ratio, batch.advantages, low, high)
    losses = weight * local + (1 - weight) * surrogate(ratio, across, low, high)
    return aggregate(losses, batch.mask, aggregation, constant), _statistics(batch, ratio, low, high)


def surrogate(ratio: Tensor, advantages: Tensor, low: float, high: float, dual: float | None = None) -> Tensor:
    """The clipped loss of each token."""
    losses = -torch.minimum(ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages)
    if dual is None:
        return losses
    return torch.where(advantages < 0, torch.minimum(losses, -dual * advantages), losses)


def sequence_ratio(batch: LossBatch) -> Tensor:
    """(sequences, 1): the geometric mean of the tokens' ratios."""
    return sequence_means(batch.log_ratio, batch.mask).exp().unsqueeze(-1)


@torch.no_grad()
def _statistics(batch: LossBatch, ratio: Tensor, low: float, high: float) -> Statistics:
    """Shares of sampled tokens beyond either bound on the side that is clipped, and how far the policy has moved."""
    below = (ratio < 1 - low) & (batch.advantages < 0)
    above = (ratio > 1 + high) & (batch.advantages > 0)
    return {
        "clipped_low": float(masked_mean(below.to(ratio.dtype), batch.mask)),
        "clipped_high": float(masked_mean(above.to(ratio.dtype), batch.mask)),
        "ratio": float(masked_mean(ratio, batch.mask)),
        "kl_old": float(masked_mean(kl(batch.lp_old, batch.lp), batch.mask)),
    }

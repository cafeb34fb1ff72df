"""From one loss a token to one number: the four ways of averaging, which differ in what a long sequence weighs.

A sequence without trained tokens (a failed episode, padding) counts in none of them.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from agentgym.errors import UsageError

Aggregation = Literal["token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "constant"]


def aggregate(losses: Tensor, mask: Tensor, how: Aggregation = "token_mean", constant: float | None = None) -> Tensor:
    """The mean of `losses` (sequences, tokens) over what `mask` (same shape) keeps; 0 if it keeps nothing.

    token_mean: over all tokens (DAPO). seq_mean_token_mean: of each sequence's mean (GRPO). seq_mean_token_sum: of each
    sequence's sum. constant: that, divided by `constant`, the longest completion allowed (Dr.GRPO).
    """
    sums = losses.masked_fill(mask == 0, 0.0).sum(-1)
    tokens = mask.sum(-1)
    sequences = (tokens > 0).sum().clamp(min=1)
    match how:
        case "token_mean":
            return sums.sum() / tokens.sum().clamp(min=1)
        case "seq_mean_token_mean":
            return (sums / tokens.clamp(min=1)).sum() / sequences
        case "seq_mean_token_sum":
            return sums.sum() / sequences
        case "constant":
            if not constant:
                raise UsageError("aggregation 'constant' needs `constant`, the longest completion allowed")
            return sums.sum() / (sequences * constant)
    raise UsageError(f"no aggregation {how!r}: there are token_mean, seq_mean_token_mean, seq_mean_token_sum, constant")


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Over all tokens that `mask` keeps; 0 if it keeps none."""
    return aggregate(values, mask, "token_mean")


def sequence_means(values: Tensor, mask: Tensor) -> Tensor:
    """(sequences,): over each sequence's kept tokens; 0 for one without."""
    return values.masked_fill(mask == 0, 0.0).sum(-1) / mask.sum(-1).clamp(min=1)

"""Estimators of KL(policy || reference) from the log-probabilities of sampled tokens (Schulman, "Approximating KL")."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from agentgym.errors import UsageError

Kind = Literal["k1", "k2", "k3"]


def kl(lp: Tensor, lp_ref: Tensor, kind: Kind = "k3") -> Tensor:
    """One number a token. k1 = lp - lp_ref: unbiased. k2 = k1² / 2: biased, never negative. k3 = exp(-k1) + k1 - 1: both.

    As values; as losses their gradients are others: that of k1 is 0 on average, that of k2 is the KL's.
    """
    gap = lp - lp_ref
    match kind:
        case "k1":
            return gap
        case "k2":
            return 0.5 * gap.square()
        case "k3":
            return (-gap).exp() + gap - 1
    raise UsageError(f"no KL estimator {kind!r}: there are k1, k2, k3")

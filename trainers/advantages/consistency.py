"""COPO, consistency-aware policy optimisation (arXiv 2508.04138; the authors' code read): two baselines, one blend.

Groups that agree on an answer, right or wrong, have little to say within themselves; they are compared with the other
groups of the batch instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, log2, tanh

from agentgym.trainers.advantages.batch import Batch, mean, needed, standardised


@dataclass(slots=True)
class Blend:
    """One entry a trajectory: GRPO's advantage, that of its group among the groups, and the weight of the first."""

    local: list[float]
    across: list[float]
    weight: list[float]


def copo(
    batch: Batch,
    *,
    k: float = 20.0,
    b: float = 0.5,
    forced: bool = True,
    scaled: bool = False,
    eps: float = 1e-6,
) -> list[list[float]]:
    """w * local + (1 - w) * across.

    The paper blends two clipped losses; that is the same wherever no ratio is clipped.  For the blend of losses, hand
    `blend`'s parts to `agentgym.trainers.losses.clip.copo`.  Options as of `blend`.
    """
    parts = blend(batch, k=k, b=b, forced=forced, scaled=scaled, eps=eps)
    mixed = zip(parts.local, parts.across, parts.weight, strict=True)
    return batch.spread([weight * local + (1 - weight) * across for local, across, weight in mixed])


def blend(
    batch: Batch,
    *,
    k: float = 20.0,
    b: float = 0.5,
    forced: bool = True,
    scaled: bool = False,
    eps: float = 1e-6,
) -> Blend:
    """COPO's parts; w = sigmoid(k (H - b)), H the entropy in bits of the group's answers. Needs `answers`.

    forced: groups whose rewards are all equal have w = 0 (the code's "soft-with-forced").
    scaled: a group's reward is its mean times 1 - H (1 - 1/G) / log2 G (off in the released scripts).
    """
    answers = needed(batch.answers, "copo", "answers")
    totals = batch.totals
    groups = batch.members()
    made = Blend(*([0.0] * len(totals) for _ in range(3)))
    entropies = [entropy([answers[i] for i in members]) for members in groups]
    rewards = [mean([totals[i] for i in members]) for members in groups]
    if scaled:
        rewards = [r * (1 - shrink(h, len(m))) for r, h, m in zip(rewards, entropies, groups, strict=True)]
    across = standardised(rewards, eps) if len(groups) > 1 else [0.0] * len(groups)
    for members, bits, number in zip(groups, entropies, across, strict=True):
        local = standardised([totals[i] for i in members], eps)
        weight = 0.0 if forced and not any(local) else (1 + tanh(k * (bits - b) / 2)) / 2
        for i, own in zip(members, local, strict=True):
            made.local[i], made.across[i], made.weight[i] = own, number, weight
    return made


def entropy(answers: Sequence[str | None]) -> float:
    """Of the answers' distribution, in bits; None is an answer of its own."""
    shares = [count / len(answers) for count in Counter(answers).values()]
    return -fsum(share * log2(share) for share in shares) if len(shares) > 1 else 0.0


def shrink(bits: float, size: int) -> float:
    """How much of a group's reward its disagreement takes: 0 for one answer, 1 - 1/G for G different ones."""
    return bits * (1 - 1 / size) / log2(size)

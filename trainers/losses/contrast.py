"""DisCO and DRPO: right answers against wrong ones of the same group, by score, under a constraint on the KL.

No advantages and no clipping.  DisCO (arXiv 2505.12366) and DRPO (arXiv 2510.04474) as in the authors' code; we
differentiate the objective itself where they take a surrogate of the same gradient.
"""

from __future__ import annotations

from math import inf, log
from typing import Literal

import torch
from torch import Tensor

from agentgym.errors import UsageError
from agentgym.trainers.losses.aggregate import masked_mean, sequence_means
from agentgym.trainers.losses.batch import LossBatch, Statistics, needed

Score = Literal["log_l", "l_ratio"]
TAUS: dict[str, float] = {"log_l": 10.0, "l_ratio": 1.0}


def disco(
    batch: LossBatch,
    *,
    score: Score = "log_l",
    tau: float | None = None,
    beta: float = 1e3,
    delta: float = 1e-4,
    solved: float = 1.0,
) -> tuple[Tensor, Statistics]:
    """-mean over groups of (mean score of the right - tau log mean exp(score of the wrong / tau)) + the constraint.

    score: a sequence's mean lp ("log_l", tau 10) or mean ratio ("l_ratio", tau 1). tau=inf takes the plain mean of the
    wrong (DisCO-b). solved: the reward from which on an answer is right. A group that is all right or all wrong adds 0.
    Needs `groups` and `rewards`.
    """
    if score not in TAUS:
        raise UsageError(f"no score {score!r}: there are {', '.join(TAUS)}")
    tokens = batch.lp if score == "log_l" else batch.log_ratio.exp()
    scores = sequence_means(tokens, batch.mask)
    objective, skipped = _contrast(batch, scores, torch.zeros_like(scores), tau or TAUS[score], solved)
    return _constrained(batch, objective, skipped, beta, delta)


def drpo(
    batch: LossBatch,
    *,
    longest: int,
    lam: float = 0.1,
    tau: float = 10.0,
    beta: float = 1e3,
    delta: float = 1e-4,
    solved: float = 1.0,
) -> tuple[Tensor, Statistics]:
    """DisCO whose right answers weigh the more the shorter they are: exp((1 - length / longest) / lam), normalised.

    Wrong answers never see the length, so that no long right answer is pushed down.  longest: the most sampled tokens
    that a sequence may have.
    """
    scores = sequence_means(batch.lp, batch.mask)
    preference = (1 - batch.mask.sum(-1) / longest).to(scores.dtype) / lam
    objective, skipped = _contrast(batch, scores, preference, tau, solved)
    return _constrained(batch, objective, skipped, beta, delta)


def group_objective(right: Tensor, wrong: Tensor, preference: Tensor, tau: float) -> Tensor:
    """softmax(preference) · right - tau log mean exp(wrong / tau); each argument one number a sequence of the group."""
    positive = (preference.softmax(0) * right).sum()
    if tau == inf:
        return positive - wrong.mean()
    return positive - tau * ((wrong / tau).logsumexp(0) - log(len(wrong)))


def _contrast(batch: LossBatch, scores: Tensor, preference: Tensor, tau: float, solved: float) -> tuple[Tensor, int]:
    """The mean objective over all groups that have a sequence with tokens, and how many of them had one side only."""
    rewards, groups = needed(batch.rewards, "DisCO", "rewards"), needed(batch.groups, "DisCO", "groups")
    valid = batch.mask.sum(-1) > 0
    right = (rewards >= solved) & valid
    wrong = (rewards < solved) & valid
    objectives = []
    names = list(dict.fromkeys(name for name, counts in zip(groups, valid.tolist(), strict=True) if counts))
    for name in names:
        mine = torch.tensor([group == name for group in groups], device=scores.device)
        if (mine & right).any() and (mine & wrong).any():
            yes, no = mine & right, mine & wrong
            objectives.append(group_objective(scores[yes], scores[no], preference[yes], tau))
    total = torch.stack(objectives).sum() if objectives else scores.sum() * 0.0
    return total / max(len(names), 1), len(names) - len(objectives)


def _constrained(
    batch: LossBatch, objective: Tensor, skipped: int, beta: float, delta: float
) -> tuple[Tensor, Statistics]:
    """-objective + [beta (KL - delta)]+ KL, the bracket without gradient; KL(old || new) is the mean of lp_old - lp."""
    moved = -masked_mean(batch.log_ratio, batch.mask)
    coefficient = (beta * (moved.detach() - delta)).clamp(min=0)
    return -objective + coefficient * moved, {
        "objective": float(objective.detach()),
        "kl_old": float(moved.detach()),
        "penalty": float(coefficient * moved.detach()),
        "skipped_groups": float(skipped),
    }

"""Estimators that compare the rewards of a group: one number a trajectory, the same for each of its tokens.

REC's own advantage (arXiv 2509.24203, "Group-Relative REINFORCE is secretly off-policy") is `dr_grpo`; what is REC's is
its loss.  `reinforce_pp_baseline` is the only one here that mixes tokens of several trajectories.
"""

from __future__ import annotations

from math import exp, log
from statistics import stdev

from agentgym.trainers.advantages.batch import Batch, centred, mean, standardised
from agentgym.trainers.advantages.whitening import whitened


def grpo(batch: Batch, *, eps: float = 1e-4) -> list[list[float]]:
    """(reward - group mean) / (group standard deviation, n-1, + eps) (GRPO, arXiv 2402.03300; eps as in TRL)."""
    return batch.spread(batch.by_group(lambda rewards: standardised(rewards, eps)))


def dr_grpo(batch: Batch) -> list[list[float]]:
    """reward - group mean (Dr.GRPO, arXiv 2503.20783): no division, so easy and hard groups count alike."""
    return batch.spread(batch.by_group(centred))


def rloo(batch: Batch) -> list[list[float]]:
    """reward - mean of the other members (RLOO, arXiv 2402.14740)."""
    return batch.spread(
        batch.by_group(lambda rewards: [c * len(rewards) / (len(rewards) - 1) for c in centred(rewards)])
    )


def lite_ppo(batch: Batch, *, eps: float = 1e-4) -> list[list[float]]:
    """(reward - group mean) / (deviation, n-1, of all raw rewards of the batch + eps).

    Lite PPO ("Tricks or Traps?", arXiv 2508.08221); it goes with a token-mean loss.
    """
    rewards = [total for total, valid in zip(batch.totals, batch.valid, strict=True) if valid]
    if len(rewards) < 2 or min(rewards) == max(rewards):
        return batch.spread([0.0] * len(batch.rewards))
    scale = stdev(rewards) + eps
    return batch.spread([number / scale for number in batch.by_group(centred)])


def reinforce_pp_baseline(batch: Batch) -> list[list[float]]:
    """reward - group mean, then whitened over the sampled tokens of the batch (REINFORCE++-baseline,
    arXiv 2501.03262)."""
    members = [index for group in batch.members() for index in group]
    return whitened(dr_grpo(batch), batch.turns, members)


def mapo(batch: Batch, *, eps: float = 1e-6, solved: float = 1.0) -> list[list[float]]:
    """MAPO's mixed advantage (arXiv 2509.18849): w * standardised + (1 - w) * (reward - mean) / (mean + eps).

    w = 4 p (1 - p), p the share of members that reached `solved` (the authors' code counts rewards equal to 1).
    Meant for rewards from 0 up: the second term grows without bound as the group's mean nears 0 from above.
    """

    def of_group(rewards: list[float]) -> list[float]:
        p = mean([float(reward >= solved) for reward in rewards])
        weight = 4 * p * (1 - p)
        ratios = [c / (mean(rewards) + eps) if c else 0.0 for c in centred(rewards)]
        return [weight * z + (1 - weight) * r for z, r in zip(standardised(rewards, eps), ratios, strict=True)]

    return batch.spread(batch.by_group(of_group))


def opmd(batch: Batch, *, tau: float | None = None) -> list[list[float]]:
    """reward - baseline (OPMD, as in Trinity-RFT): the group's mean, or with `tau`, tau * log mean exp(reward / tau)."""

    def of_group(rewards: list[float]) -> list[float]:
        if tau is None or min(rewards) == max(rewards):
            return centred(rewards)
        top = max(rewards)
        baseline = top + tau * log(mean([exp((reward - top) / tau) for reward in rewards]))
        return [reward - baseline for reward in rewards]

    return batch.spread(batch.by_group(of_group))


def asymre(batch: Batch, *, shift: float = -0.1) -> list[list[float]]:
    """reward - (group mean + shift) (AsymRE, arXiv 2506.20520): a baseline below the mean learns more from successes.

    The only one here that moves a group whose rewards are all equal: by -shift, also where all failed.
    """
    return batch.spread(batch.by_group(lambda rewards: [c - shift for c in centred(rewards)]))

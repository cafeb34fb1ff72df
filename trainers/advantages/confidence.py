"""LENS ("Don't Waste Mistakes", arXiv 2510.08696): wrong answers are told apart by how sure the policy was of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from sys import float_info

from agentgym.errors import UsageError
from agentgym.trainers.advantages.batch import Batch, centred, mean, needed, standardised


def lens(batch: Batch, *, eps: float = 1e-6, alpha: float = 0.25) -> list[list[float]]:
    """Groups in which some succeed: GRPO on calibrated rewards. All wrong: calibrated, centred, times `alpha`.

    Needs `old_logprobs` and rewards in [0, 1].  (A weight on a group's loss is the same weight on its advantages.)
    """
    logprobs = needed(batch.old_logprobs, "lens", "old_logprobs")
    totals = batch.totals
    numbers = [0.0] * len(totals)
    for members in batch.members():
        rewards = [totals[i] for i in members]
        calibrated = calibrate(rewards, [confidence(logprobs[i], batch.turns[i]) for i in members])
        some = any(rewards)
        made = standardised(calibrated, eps) if some else [alpha * number for number in centred(calibrated)]
        for index, number in zip(members, made, strict=True):
            numbers[index] = number
    return batch.spread(numbers)


def confidence(logprobs: Sequence[float], turns: Sequence[int]) -> float:
    """exp(mean log-probability of the sampled tokens), in (0, 1]; 1 if none was sampled."""
    sampled = [number for number, turn in zip(logprobs, turns, strict=True) if turn >= 0]
    return max(exp(mean(sampled)), float_info.min) if sampled else 1.0


def calibrate(rewards: Sequence[float], confidences: Sequence[float]) -> list[float]:
    """r - (1 - r) c / (G (D - c)) for the members of one group: the surer a wrong answer, the lower; right ones stay.

    D, the difficulty, is the importance estimate 1 / mean(r / c) of the group, at least twice the largest confidence.
    Raises UsageError for a reward outside [0, 1].
    """
    if wrong := [reward for reward in rewards if not 0 <= reward <= 1]:
        raise UsageError(f"lens needs rewards in [0, 1], got {wrong[0]}")
    estimate = mean([reward / c for reward, c in zip(rewards, confidences, strict=True)])
    difficulty = max(1 / estimate if estimate else 0.0, 2 * max(confidences))
    size = len(rewards)
    return [r - (1 - r) * c / (size * (difficulty - c)) for r, c in zip(rewards, confidences, strict=True)]

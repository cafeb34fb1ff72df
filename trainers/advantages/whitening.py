"""Whitening: advantages of a batch brought to mean 0 and standard deviation 1, over sampled tokens. No baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agentgym.trainers.advantages.batch import standardised


def whitened(
    advantages: Sequence[Sequence[float]], turns: Sequence[Sequence[int]], members: Iterable[int], eps: float = 1e-8
) -> list[list[float]]:
    """(number - mean) / (standard deviation, n-1, + eps) over the sampled tokens of `members`; 0 everywhere else.

    advantages, turns: one number a token, a list a trajectory; a token with a turn below 0 was not sampled.
    Exact zeros if all numbers are equal, so also for a single token.
    """
    places = [(i, t) for i in members for t, turn in enumerate(turns[i]) if turn >= 0]
    out = [[0.0] * len(each) for each in turns]
    if places:
        numbers = standardised([advantages[i][t] for i, t in places], eps)
        for (i, t), number in zip(places, numbers, strict=True):
            out[i][t] = number
    return out

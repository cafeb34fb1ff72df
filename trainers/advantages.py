"""Advantage estimators: pure functions from rewards, groups and turns to one number a token. No model, no torch.

A trajectory that is not `valid` (failed, masked) takes no part in any baseline and gets 0; a group with fewer than two
valid members has no baseline: all its advantages are 0 and it is counted in `dropped`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import stdev

from agentgym.errors import UsageError


@dataclass(slots=True)
class Batch:
    """What an estimator may look at; each list has one entry a trajectory.

    rewards: what each turn earned (they sum to the trajectory's reward). groups: equal names share a baseline.
    turns: for each token, the turn that sampled it, or -1.
    """

    rewards: Sequence[Sequence[float]]
    groups: Sequence[str]
    turns: Sequence[Sequence[int]]
    valid: Sequence[bool]

    @property
    def totals(self) -> list[float]:
        return [fsum(turns) for turns in self.rewards]

    def members(self) -> list[list[int]]:
        """The valid members of each group that has at least two."""
        groups: dict[str, list[int]] = {}
        for index, (group, valid) in enumerate(zip(self.groups, self.valid, strict=True)):
            if valid:
                groups.setdefault(group, []).append(index)
        return [members for members in groups.values() if len(members) > 1]

    @property
    def dropped(self) -> int:
        """How many groups are too small to have a baseline."""
        return len(set(self.groups)) - len(self.members())


Estimator = Callable[[Batch], list[list[float]]]


def grpo(batch: Batch, eps: float = 1e-4) -> list[list[float]]:
    """(reward - group mean) / (group standard deviation, n-1, + eps), the same for every token."""
    return _broadcast(batch, lambda rewards: [c / (stdev(rewards) + eps) for c in _centred(rewards)])


def dr_grpo(batch: Batch) -> list[list[float]]:
    """reward - group mean (Dr.GRPO): no division, so easy and hard groups count alike."""
    return _broadcast(batch, _centred)


def rloo(batch: Batch) -> list[list[float]]:
    """reward - mean of the other members."""
    return _broadcast(batch, lambda rewards: [c * len(rewards) / (len(rewards) - 1) for c in _centred(rewards)])


def turn_returns(batch: Batch, eps: float = 1e-4) -> list[list[float]]:
    """For each turn: (what was earned from it on - the group's mean of that) / (deviation of the totals + eps).

    A member that has ended by that turn counts with 0, not as absent: otherwise the baseline would be that of the
    longer members only, and a policy that decides how long it goes on would be paid for that.
    """
    out = [[0.0] * len(turns) for turns in batch.turns]
    totals = batch.totals
    for members in batch.members():
        scale = stdev([totals[i] for i in members]) + eps
        longest = max(max(len(batch.rewards[i]), *batch.turns[i], 0) for i in members) + 1
        togo = {i: [fsum(batch.rewards[i][turn:]) for turn in range(longest)] for i in members}
        means = [fsum(togo[i][turn] for i in members) / len(members) for turn in range(longest)]
        for i in members:
            out[i] = [(togo[i][turn] - means[turn]) / scale if turn >= 0 else 0.0 for turn in batch.turns[i]]
    return out


ESTIMATORS: dict[str, Estimator] = {"grpo": grpo, "dr_grpo": dr_grpo, "rloo": rloo, "turn_returns": turn_returns}


def estimator(name: str) -> Estimator:
    """The estimator called `name`. Raises UsageError naming those there are."""
    if name not in ESTIMATORS:
        raise UsageError(f"no advantage estimator {name!r}: there are {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]


def _centred(rewards: list[float]) -> list[float]:
    mean = fsum(rewards) / len(rewards)
    return [reward - mean for reward in rewards]


def _broadcast(batch: Batch, of_group: Callable[[list[float]], list[float]]) -> list[list[float]]:
    """One number a trajectory, given to each of its sampled tokens."""
    totals = batch.totals
    numbers = [0.0] * len(totals)
    for members in batch.members():
        for index, number in zip(members, of_group([totals[i] for i in members]), strict=True):
            numbers[index] = number
    return [[n if turn >= 0 else 0.0 for turn in turns] for n, turns in zip(numbers, batch.turns, strict=True)]

"""Estimators that tell the turns of a trajectory apart, without a value model.

A member that has ended by a turn counts with 0 there, not as absent: otherwise the baseline would be that of the longer
members only, and a policy that decides how long it goes on would be paid for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import stdev

from agentgym.errors import UsageError
from agentgym.trainers.advantages.batch import Batch, centred, needed, standardised


def turn_returns(batch: Batch, *, eps: float = 1e-4) -> list[list[float]]:
    """For each turn: (what was earned from it on - the group's mean of that) / (deviation + eps).

    Ours.  The deviation (n-1) is the largest that these returns have at any turn: that of the totals alone would be near 0,
    and the numbers huge, where all members earn the same at different times.
    """
    numbers = _nothing(batch)
    for members in batch.members():
        togo = {i: _discounted(batch.rewards[i], 1.0) for i in members}
        count = max(len(numbers[i]) for i in members)
        returns = [[_at(togo[i], turn) for i in members] for turn in range(count)]
        scale = max((stdev(each) for each in returns), default=0.0) + eps
        for turn, each in enumerate(returns):
            for i, number in zip(members, centred(each), strict=True):
                _put(numbers[i], turn, number / scale if number else 0.0)
    return _to_tokens(batch, numbers)


def mt_grpo(batch: Batch, *, coef: float = 1.0, eps: float = 1e-4) -> list[list[float]]:
    """MT-GRPO (arXiv 2505.11821; the authors' code read): the outcome's advantage, and before it also the turn's own.

    A trajectory's last turn pays the outcome, the turns before it pay turn rewards (the paper has one of those: the
    first tool call).  Each is standardised over the group: the outcome, and the rewards of each turn; a turn before the
    last gets outcome + coef * turn, the last gets outcome.  A member of a single turn called no tool: it gets its
    whole reward, standardised over the group's.
    """
    numbers = _nothing(batch)
    totals = batch.totals
    for members in batch.members():
        whole = standardised([totals[i] for i in members], eps)
        outcome = standardised([batch.rewards[i][-1] if batch.rewards[i] else 0.0 for i in members], eps)
        for turn in range(max(len(numbers[i]) for i in members)):
            own = standardised([_at(batch.rewards[i][:-1], turn) for i in members], eps)
            for place, i in enumerate(members):
                last = len(batch.rewards[i]) - 1
                early = coef * own[place] if turn < last else 0.0
                _put(numbers[i], turn, whole[place] if last < 1 else outcome[place] + early)
    return _to_tokens(batch, numbers)


def gigpo(
    batch: Batch, *, gamma: float = 0.95, weight: float = 1.0, eps: float = 1e-6, std: bool = True
) -> list[list[float]]:
    """GiGPO (arXiv 2505.10978): the episode's advantage + weight * the step's, among steps from the same state.

    A step's return is discounted by `gamma` a turn; it is standardised among all steps of the group that begin in the
    same state. A state met once, or not known, adds nothing. std=False only centres, both. Needs `states`.  Formula and constants from memory; eps is ours.
    """
    states = needed(batch.states, "gigpo", "states")
    if not any(name for own in states for name in own) and any(states):
        raise UsageError(
            "gigpo needs `Batch.states`, but no state of this batch is known, and it would be plain GRPO: "
            "the environment must tell its `state`"
        )
    standard = partial(standardised, eps=eps) if std else centred
    numbers = _nothing(batch)
    totals = batch.totals
    for members in batch.members():
        for i, number in zip(members, standard([totals[i] for i in members]), strict=True):
            numbers[i] = [number] * len(numbers[i])
        togo = {i: _discounted(batch.rewards[i], gamma) for i in members}
        for places in _meetings(members, states):
            for (i, turn), step in zip(places, standard([togo[i][turn] for i, turn in places]), strict=True):
                numbers[i][turn] += weight * step
    return _to_tokens(batch, numbers)


def _meetings(members: list[int], states: Sequence[Sequence[str | None]]) -> list[list[tuple[int, int]]]:
    """The steps (member, turn) from each state that is known."""
    found: dict[str, list[tuple[int, int]]] = {}
    for i in members:
        for turn, state in enumerate(states[i]):
            if state is not None:
                found.setdefault(state, []).append((i, turn))
    return [places for places in found.values() if len(places) > 1]


def _nothing(batch: Batch) -> list[list[float]]:
    """A 0 for each turn that a trajectory has rewards for or tokens of."""
    both = zip(batch.rewards, batch.turns, strict=True)
    return [[0.0] * max(len(rewards), max(turns, default=-1) + 1) for rewards, turns in both]


def _at(numbers: Sequence[float], turn: int) -> float:
    return numbers[turn] if turn < len(numbers) else 0.0


def _put(numbers: list[float], turn: int, number: float) -> None:
    if turn < len(numbers):
        numbers[turn] = number


def _discounted(rewards: Sequence[float], gamma: float) -> list[float]:
    togo, later = [0.0] * len(rewards), 0.0
    for turn in reversed(range(len(rewards))):
        togo[turn] = later = rewards[turn] + gamma * later
    return togo


def _to_tokens(batch: Batch, numbers: list[list[float]]) -> list[list[float]]:
    both = zip(numbers, batch.turns, strict=True)
    return [[own[turn] if turn >= 0 else 0.0 for turn in turns] for own, turns in both]

"""Batch: what an advantage estimator may look at, and the few steps that all of them share. No estimators here.

"The tokens of a trajectory" are those of all its rows, one after another; estimators never see rows.  A trajectory
that is not `valid` (failed, masked) takes no part in any baseline and gets 0; a group with fewer than two valid members
has no baseline: all its advantages are 0 and it is counted in `dropped`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from statistics import stdev
from typing import TypeVar

from agentgym.errors import UsageError

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """Each list has one entry a trajectory; the optional fields are for the methods that need them.

    rewards: what each turn earned (they sum to the trajectory's reward). groups: equal names share a baseline.
    turns: for each token, the turn that sampled it, or -1.
    old_logprobs, values: one number a token, natural logs of the sampling policy and V of the state before the token;
        on tokens that were not sampled they are ignored.
    states: for each turn, a name (hash) of the state that it began in, or None where it is not known.
    channels: by name of the channel, what each turn earned there.
    answers: the final answer, or None.
    Raises UsageError where lengths contradict each other or a valid trajectory has a number that is not finite.
    """

    rewards: Sequence[Sequence[float]]
    groups: Sequence[str]
    turns: Sequence[Sequence[int]]
    valid: Sequence[bool]
    old_logprobs: Sequence[Sequence[float]] | None = None
    values: Sequence[Sequence[float]] | None = None
    states: Sequence[Sequence[str | None]] | None = None
    channels: Mapping[str, Sequence[Sequence[float]]] | None = None
    answers: Sequence[str | None] | None = None

    def __post_init__(self) -> None:
        for name in ("groups", "turns", "valid", "old_logprobs", "values", "states", "answers"):
            field = getattr(self, name)
            if field is not None and len(field) != len(self.rewards):
                raise UsageError(
                    f"{len(self.rewards)} trajectories have rewards, but `{name}` has {len(field)} entries"
                )
        turns = {"rewards": self.rewards} | {f"channels[{k!r}]": v for k, v in (self.channels or {}).items()}
        tokens = {"old_logprobs": self.old_logprobs, "values": self.values}
        for index, valid in enumerate(self.valid):
            if valid:
                self._check_turns(index, turns)
                self._check_tokens(index, {name: field for name, field in tokens.items() if field is not None})

    def _check_turns(self, index: int, fields: Mapping[str, Sequence[Sequence[float]]]) -> None:
        count = len(self.rewards[index])
        for name, field in fields.items():
            if len(field) != len(self.rewards) or len(field[index]) != count:
                raise UsageError(
                    f"`{name}` of {self._name(index)} does not have one number for each of its {count} turns"
                )
            if not all(map(isfinite, field[index])):
                raise UsageError(f"`{name}` of {self._name(index)} holds a number that is not finite")
        if self.states is not None and len(self.states[index]) > count:
            raise UsageError(f"`states` of {self._name(index)} has more entries than its {count} turns")

    def _check_tokens(self, index: int, fields: Mapping[str, Sequence[Sequence[float]]]) -> None:
        for name, field in fields.items():
            if len(field[index]) != len(self.turns[index]):
                raise UsageError(f"`{name}` of {self._name(index)} does not have one number for each of its tokens")
            if not all(isfinite(n) for n, turn in zip(field[index], self.turns[index], strict=True) if turn >= 0):
                raise UsageError(f"`{name}` of {self._name(index)} holds a number that is not finite")

    def _name(self, index: int) -> str:
        return f"trajectory {index} (group {self.groups[index]!r})"

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

    def spread(self, numbers: Sequence[float]) -> list[list[float]]:
        """One number a trajectory, given to each of its sampled tokens; 0 on the others."""
        return [[n if turn >= 0 else 0.0 for turn in turns] for n, turns in zip(numbers, self.turns, strict=True)]

    def by_group(self, of_group: Callable[[list[float]], list[float]]) -> list[float]:
        """One number a trajectory: what `of_group` makes of the rewards of its group's valid members; else 0."""
        totals = self.totals
        numbers = [0.0] * len(totals)
        for members in self.members():
            for index, number in zip(members, of_group([totals[i] for i in members]), strict=True):
                numbers[index] = number
        return numbers


Estimator = Callable[[Batch], list[list[float]]]


def needed(field: T | None, method: str, name: str) -> T:
    """`field`, which `method` can not do without. Raises UsageError naming both."""
    if field is None:
        raise UsageError(f"{method} needs `Batch.{name}`, which this batch does not carry")
    return field


def mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def centred(values: Sequence[float]) -> list[float]:
    """Each less the mean; exact zeros if all are equal."""
    if min(values) == max(values):
        return [0.0] * len(values)
    middle = mean(values)
    return [value - middle for value in values]


def standardised(values: Sequence[float], eps: float) -> list[float]:
    """(value - mean) / (standard deviation, n-1, + eps); exact zeros if all are equal."""
    if min(values) == max(values):
        return [0.0] * len(values)
    scale = stdev(values) + eps
    return [value / scale for value in centred(values)]

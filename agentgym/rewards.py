"""From scores to a reward: channels, gates, and the record that says what was paid and why.

Gated reward accumulation (G-RA, arXiv 2508.10548): a channel counts only if every channel of higher priority is
above its threshold.  The paper's numeric values are not known to us: weights, priorities and thresholds are
configuration.  Shaping that needs the group or the batch is not here: trainers do it, after the episodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agentgym.errors import UsageError
from agentgym.types import ChannelKind, ChannelRecord, Gate, RewardRecord, Score

Reduce = Literal["sum", "mean", "max", "min", "last"]
Missing = Literal["fail", "zero", "skip"]


@dataclass(slots=True, frozen=True)
class Channel:
    """How one named stream of scores counts.

    kind: "outcome" and "process" pay weight x value; a "factor" multiplies what the channels of its priority and
        below pay; a "metric" is only recorded.
    threshold: closes every channel of lower priority unless this one's reduced value is above it (strictly; at or
        above with `inclusive`). None: gates nothing.
    reduce: how several scores become one value: "sum" for process, "last" otherwise, unless said.
    most: what a "sum" may come to; scores beyond it are not paid, so that a channel can not be farmed. None: anything.
    missing: without a score the record is invalid ("fail": outcomes), the value is 0 ("zero"), or the channel is left
        out ("skip": it pays nothing and gates nothing).
    """

    name: str
    kind: ChannelKind
    weight: float = 1.0
    priority: int = 0
    threshold: float | None = None
    inclusive: bool = False
    reduce: Reduce | None = None
    missing: Missing | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.most is not None and self.reducer != "sum":
            raise UsageError(f"channel {self.name!r}: `most` bounds a sum, and this one is reduced by {self.reducer!r}")

    @property
    def reducer(self) -> Reduce:
        return self.reduce or ("sum" if self.kind == "process" else "last")

    @property
    def when_missing(self) -> Missing:
        return self.missing or ("fail" if self.kind == "outcome" else "zero" if self.kind == "process" else "skip")

    def passes(self, value: float) -> bool:
        """Whether `value` keeps the gate open."""
        if self.threshold is None:
            return True
        return value >= self.threshold if self.inclusive else value > self.threshold


@dataclass(slots=True, frozen=True)
class Rubric:
    """A list of channels, callable: `rubric(scores, n_turns)` is the RewardRecord of one episode.

    `success` names the channel that is the verified outcome (its value is clipped to [0, 1]); without it, the
    outcome channel of the highest priority.  Raises UsageError for two channels of one name or no success channel.
    """

    channels: tuple[Channel, ...]
    success: str | None = None

    def __post_init__(self) -> None:
        names = [channel.name for channel in self.channels]
        if len(set(names)) != len(names):
            raise UsageError(f"a rubric's channels must have names of their own, got {names}")
        if self.success_channel not in names:
            raise UsageError(f"a rubric needs a success channel: {self.success!r} is not among {names}")

    def __call__(self, scores: Iterable[Score], n_turns: int) -> RewardRecord:
        by_channel: dict[str, list[Score]] = {channel.name: [] for channel in self.channels}
        for score in scores:
            if score.channel in by_channel and _told(score):
                by_channel[score.channel].append(score)
        values = {channel.name: _reduce(channel, by_channel[channel.name]) for channel in self.channels}
        turns = [0.0] * max(n_turns, 1)
        records = [self._pay(channel, by_channel[channel.name], values, turns) for channel in self.channels]
        value = values[self.success_channel]
        return RewardRecord(
            total=math.fsum(turns),
            turns=turns,
            success=0.0 if value is None else min(1.0, max(0.0, value)),
            channels=records,
            valid=all(record.gate != "failed" for record in records),
        )

    def earned(self, scores: Iterable[Score], n_turns: int) -> dict[str, list[float]]:
        """For each channel that pays, its value as its turns made it: before weight and factors, 0 if its gate is shut."""
        told = list(scores)
        record = self(told, n_turns)
        made = {}
        for channel, came in zip(self.channels, record.channels, strict=True):
            turns = [0.0] * max(n_turns, 1)
            if came.gate == "open" and came.value is not None:
                mine = [score for score in told if score.channel == channel.name and _told(score)]
                for turn, share in _shares(channel, mine, came.value, len(turns)):
                    turns[turn] += share
            if channel.kind in ("outcome", "process"):
                made[channel.name] = turns
        return made

    def immediate(self, scores: Sequence[Score]) -> float:
        """What these scores are worth before any gate is known: the reward that `step` returns."""
        worth = 0.0
        for score in scores:
            for channel in self.channels:
                if channel.name == score.channel and channel.kind == "process" and _told(score):
                    worth += channel.weight * (score.value or 0.0)
        return worth

    @property
    def success_channel(self) -> str:
        """The name of the channel that is the verified outcome; "" if there is none."""
        if self.success is not None:
            return self.success
        outcomes = [channel for channel in self.channels if channel.kind == "outcome"]
        return max(outcomes, key=lambda channel: channel.priority).name if outcomes else ""

    def _pay(
        self, channel: Channel, scores: list[Score], values: dict[str, float | None], turns: list[float]
    ) -> ChannelRecord:
        """Add what `channel` pays to `turns`, and say what happened."""
        value = values[channel.name]
        reasons = tuple(score.reason for score in scores if score.reason)
        closed_by = tuple(
            other.name
            for other in self.channels
            if other.priority > channel.priority and _closes(other, values[other.name])
        )
        gate: Gate = "closed" if closed_by else "open"
        if value is None and channel.when_missing == "fail":
            gate = "failed"
        paid = 0.0
        if gate == "open" and value is not None and channel.kind in ("outcome", "process"):
            scale = channel.weight * self._factor(channel, values)
            paid = scale * value
            for turn, share in _shares(channel, scores, value, len(turns)):
                turns[turn] += scale * share
        return ChannelRecord(channel.name, channel.kind, value, channel.weight, gate, closed_by, paid, reasons)

    def _factor(self, channel: Channel, values: dict[str, float | None]) -> float:
        factor = 1.0
        for other in self.channels:
            value = values[other.name]
            if other.kind == "factor" and other.priority >= channel.priority and value is not None:
                factor *= value
        return factor


def _told(score: Score) -> bool:
    return score.value is not None and math.isfinite(score.value)


def _closes(channel: Channel, value: float | None) -> bool:
    if channel.threshold is None:
        return False
    if value is None:
        return channel.when_missing == "fail"
    return not channel.passes(value)


def _reduce(channel: Channel, scores: list[Score]) -> float | None:
    numbers = [score.value for score in scores if score.value is not None]
    if not numbers:
        return 0.0 if channel.when_missing == "zero" else None
    match channel.reducer:
        case "sum":
            return math.fsum(_bounded(channel, numbers))
        case "mean":
            return math.fsum(numbers) / len(numbers)
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "last":
            return numbers[-1]


def _shares(channel: Channel, scores: list[Score], value: float, n_turns: int) -> list[tuple[int, float]]:
    """Where `value` is paid: sums at the turns that earned them, everything else at the last turn."""
    last = n_turns - 1
    if channel.reducer != "sum":
        return [(last, value)]
    paid = _bounded(channel, [score.value or 0.0 for score in scores])
    turns = (last if score.turn is None else min(max(score.turn, 0), last) for score in scores)
    return list(zip(turns, paid, strict=True))


def _bounded(channel: Channel, numbers: list[float]) -> list[float]:
    """What of each number counts: one after another, until they come to `most`."""
    if channel.most is None:
        return numbers
    counted, total = [], 0.0
    for number in numbers:
        counted.append(min(number, channel.most - total))
        total += counted[-1]
    return counted

"""Layout: rows of trajectories as the lines of a training batch, and numbers a trajectory as numbers a line. No torch.

A trajectory has as many rows as its context had beginnings (memory chunks, prover states, compacted histories, several
actors).  Statistics are taken over trajectories before this; here each row gets its share, so that a trajectory weighs
in the loss what it would have weighed in one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym.errors import UsageError
from agentgym.row import Row, rows
from agentgym.types import Trajectory

_TOKEN_MEANS = ("dapo", "cispo", "vespo")
_LINE_MEANS = ("grpo", "sapo")


@dataclass(slots=True, frozen=True)
class Line:
    """A row, or without one a filler that weighs nothing; and the index of its trajectory."""

    trajectory: int
    row: Row | None = None

    @property
    def size(self) -> int:
        """How many completion ids it has of its trajectory."""
        return 0 if self.row is None else len(self.row.ids) - self.row.prompt_len

    def parts(self, filler: int) -> tuple[list[int], list[int], list[float], list[int]]:
        """Prompt ids, completion ids, their log-probabilities and their mask."""
        if self.row is None:
            return [filler], [filler], [0.0], [0]
        cut, row = self.row.prompt_len, self.row
        return row.ids[:cut], row.ids[cut:], row.old_logprobs[cut:], row.mask[cut:]


class Layout:
    """The lines of a batch: each row of each trajectory, one filler for a trajectory without rows, and more fillers
    until their number can be divided by `multiple`. `part`, of `parts` equal ones, is what this process learns from.

    groups: a name a trajectory; with it no group is cut, and the parts are filled up to one size.
    """

    def __init__(
        self,
        made: Sequence[Sequence[Row]],
        multiple: int = 1,
        part: int = 0,
        parts: int = 1,
        groups: Sequence[str] | None = None,
    ) -> None:
        self._made = made
        shares = [range(len(made))] if groups is None else dealt(groups, parts)
        cut = [[Line(index, row) for index in share for row in made[index] or (None,)] for share in shares]
        longest = max(map(len, cut))
        size = longest + -longest % (multiple // len(cut))
        self.lines = []
        for share, lines in zip(shares, cut, strict=True):
            self.lines += lines + [Line(max(share, default=-1))] * (size - len(lines))
        size = len(self.lines) // parts
        self.part = slice(part * size, (part + 1) * size)

    @property
    def own(self) -> list[Line]:
        """The lines of this process."""
        return self.lines[self.part]

    @property
    def turns(self) -> list[list[int]]:
        """For each trajectory: the turn that sampled each completion id (-1: none did), its rows one after another."""
        return [[turn for row in mine for turn in row.turn[row.prompt_len :]] for mine in self._made]

    @property
    def old_logprobs(self) -> list[list[float]]:
        """The same of the sampling policy's log-probabilities."""
        return [[number for row in mine for number in row.old_logprobs[row.prompt_len :]] for mine in self._made]

    def gather(self, numbers: Sequence[Sequence[float]]) -> list[list[float]]:
        """Numbers for the completion ids of each line (what lies behind them is ignored) as numbers a trajectory."""
        gathered: list[list[float]] = [[] for _ in self._made]
        for line, given in zip(self.lines, numbers, strict=True):
            gathered[line.trajectory] += given[: line.size]
        return gathered

    def spread(self, numbers: Sequence[Sequence[float]]) -> list[list[float]]:
        """One number a completion id of each line, from those of each trajectory in the order of `turns`."""
        taken = [0] * len(self._made)
        spread = []
        for line in self.lines:
            begin = taken[line.trajectory]
            taken[line.trajectory] = end = begin + line.size
            spread.append(list(numbers[line.trajectory][begin:end]))
        return spread

    def weight(self, line: Line, loss_type: str) -> float:
        """By what a line's advantages are scaled so that TRL's loss over lines is its loss over trajectories.

        Of a mean over sequences each row gets the share of its sampled tokens.  Raises UsageError for a type of loss
        that can not be divided.
        """
        if line.row is None or len(self.lines) == len(self._made):
            return 1.0
        more = len(self.lines) / len(self._made)
        if loss_type in _LINE_MEANS:
            sampled = sum(sum(row.mask) for row in self._made[line.trajectory])
            return more * sum(line.row.mask) / max(sampled, 1)
        if loss_type == "dr_grpo":
            return more
        if loss_type in _TOKEN_MEANS:
            return 1.0
        raise UsageError(
            f"loss_type {loss_type!r} can not be taken over several rows a trajectory: use one of "
            f"{', '.join((*_LINE_MEANS, 'dr_grpo', *_TOKEN_MEANS))}"
        )


def dealt(groups: Sequence[str], parts: int) -> list[list[int]]:
    """The trajectories of each part, whose groups are its own, every `parts`-th of them."""
    names = {name: index for index, name in enumerate(dict.fromkeys(groups))}
    return [[index for index, name in enumerate(groups) if names[name] % parts == part] for part in range(parts)]


def trained_rows(trajectory: Trajectory) -> list[Row]:
    """The rows of all its actors, in the order in which these first speak; none if it failed, is masked, or ended
    before the policy said anything.

    Raises UsageError if a turn carries no tokens.
    """
    if trajectory.status != "scored":
        return []
    actors = dict.fromkeys(turn.observation.actor for turn in trajectory.turns)
    return [row for actor in actors for row in rows(trajectory, actor)]


def differing(output: Mapping[str, Any], layout: Layout) -> int:
    """How many tokens of the batch, as it will be trained, are not the rows' own, or are masked otherwise."""
    count = 0
    for index, row in enumerate(line.row for line in layout.own):
        prompt = output["prompt_ids"][index][output["prompt_mask"][index].bool()].tolist()
        kept = output["completion_mask"][index].bool()
        ids = prompt + output["completion_ids"][index][kept].tolist()
        mask = [0] * len(prompt) + output["tool_mask"][index][kept].tolist()
        wanted = ([ids[0], ids[1]], [0, 0]) if row is None else (row.ids, row.mask)
        count += abs(len(ids) - len(wanted[0])) + sum(a != b for a, b in zip(ids, wanted[0], strict=False))
        count += sum(a != b for a, b in zip(mask, wanted[1], strict=False))
    return count

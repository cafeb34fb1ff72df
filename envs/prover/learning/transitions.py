"""Single tactics as data: what was left before and after, how likely the tactic was, and whether a verified proof holds it.

Not whole episodes (`agentgym.store`): a line here is what a step-prover learns from.  Only a tactic on the path of a
proof that the verdict accepted is a positive; all others can only be the worse half of a pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agentgym.envs.prover.backend import Kind
from agentgym.errors import UsageError


class Transition(BaseModel):
    """One tactic, run in one state of one theorem.

    `before`, `after`: what is left to prove, as `render.goals` shows it; `after` is "" for what was refused.
    `logprob`: natural log of the tactic's probability when it was proposed, None if nobody knows; `tokens`: how many
    tokens that is the sum over. `proved`: it lies on the path of a proof that the verdict accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theorem: str
    before: str
    tactic: str
    after: str
    kind: Kind
    logprob: float | None = None
    tokens: int = 1
    round: int = 0
    proved: bool = False


class Searched(BaseModel):
    """That a theorem was searched in a round, and what it came to: what makes a round resumable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theorem: str
    round: int
    proof: tuple[str, ...] | None
    tactics: int
    cpu_s: float
    entry: Literal["searched"] = "searched"


class Pair(BaseModel):
    """For DPO: in state `before`, `chosen` led to a verified proof and `rejected` was refused."""

    model_config = ConfigDict(frozen=True)

    theorem: str
    before: str
    chosen: str
    rejected: str


class TransitionStore:
    """One JSONL file, appended to and never changed. Opening it reads what is there, so that a run can go on.

    A transition that is there already (same theorem, state, tactic and round, and not proved since) is not written
    again.  Raises UsageError naming the line that can not be read; a last line that a crash cut short is dropped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.transitions: list[Transition] = []
        self.searched: dict[tuple[str, int], Searched] = {}
        self._keys: set[tuple[str, str, str, int, bool]] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()
        for line in path.read_text("utf-8").splitlines():
            self._take(self._parse(line))

    def __len__(self) -> int:
        return len(self.transitions)

    def add(self, transitions: Iterable[Transition], searched: Searched | None = None) -> None:
        """Append what is new, in one write; `searched` last, so that what it says is done is there."""
        new: list[Transition | Searched] = [each for each in transitions if self._take(each)]
        if searched is not None and self._take(searched):
            new.append(searched)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(each.model_dump_json() + "\n" for each in new))

    def positives(self, rounds: Sequence[int] | None = None) -> list[Transition]:
        """The transitions of verified proofs, each (theorem, state, tactic) once; of all rounds or of `rounds`."""
        found: dict[tuple[str, str, str], Transition] = {}
        for each in self.transitions:
            if each.proved and (rounds is None or each.round in rounds):
                found.setdefault((each.theorem, each.before, each.tactic), each)
        return list(found.values())

    def pairs(self) -> Iterator[Pair]:
        """Every winning tactic beside every sibling that was refused in the same state. Open siblings are no losers."""
        losers: dict[tuple[str, str], set[str]] = defaultdict(set)
        for each in self.transitions:
            if each.kind not in ("open", "finished"):
                losers[each.theorem, each.before].add(each.tactic)
        for winner in self.positives():
            for loser in sorted(losers[winner.theorem, winner.before]):
                yield Pair(theorem=winner.theorem, before=winner.before, chosen=winner.tactic, rejected=loser)

    def _take(self, entry: Transition | Searched) -> bool:
        """Remember an entry; whether it is new."""
        if isinstance(entry, Searched):
            if new := (entry.theorem, entry.round) not in self.searched:
                self.searched[entry.theorem, entry.round] = entry
            return new
        key = (entry.theorem, entry.before, entry.tactic, entry.round)
        if (*key, True) in self._keys or (*key, entry.proved) in self._keys:
            return False
        self._keys.add((*key, entry.proved))
        self.transitions.append(entry)
        return True

    def _parse(self, line: str) -> Transition | Searched:
        try:
            return (Searched if '"entry":"searched"' in line else Transition).model_validate_json(line)
        except ValidationError as error:
            number = len(self.transitions) + len(self.searched) + 1
            raise UsageError(f"{self.path}, line {number}: not a transition: {str(error)[:300]}") from None

    def _mend(self) -> None:
        """Drop a last line without its end."""
        if not self.path.exists():
            self.path.touch()
            return
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            with self.path.open("rb+") as file:
                file.truncate(content.rfind(b"\n") + 1)

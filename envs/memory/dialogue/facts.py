"""Facts as they were claimed, and what follows from them: the one place that says what is true, was true, or unknown.

The same rules serve the truth (over all that was said) and the exact reader (over what a memory holds).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agentgym.envs.memory.dates import iso
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES

Op = Literal["set", "correct", "same", "drop", "forget"]
Key = tuple[str, str]


@dataclass(slots=True, frozen=True)
class Claim:
    """`source` says of `person` on day `said` that since (or on) day `when` `attribute` is `value`.

    op: "set" (a list gets a member, an event happens), "correct" (the value said last was wrong from its beginning),
    "same" (`value` names a person whose value it is, going by what was said before that day), "drop" (a list loses a member), "forget".
    """

    person: str
    attribute: str
    value: str
    when: int
    said: int
    op: Op = "set"
    source: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the owner's word, or the assistant's where that is who says such things."""
        return self.source in ("", self.person, "Assistant")


class Ledger:
    """Claims by person and attribute, in the order in which they were said.

    Rules: the owner's word wins over anybody else's; later days win over earlier ones; two values of one day
    contradict each other and give nothing; what was to be forgotten is gone.  Names may be nicknames that were claimed.
    """

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._claims: dict[Key, list[Claim]] = {}
        self._aliases: dict[str, str] = {}
        in_order = sorted(claims, key=lambda claim: claim.said)
        for claim in sorted(in_order, key=lambda claim: claim.attribute != "alias"):
            self.add(claim)

    def add(self, claim: Claim) -> None:
        """One more claim, said no earlier than those before it."""
        key = (self.resolve(claim.person), claim.attribute)
        self._claims.setdefault(key, []).append(claim)
        if claim.attribute == "alias" and claim.own:
            self._aliases[claim.value] = claim.person

    def resolve(self, name: str) -> str:
        return self._aliases.get(name, name)

    @property
    def keys(self) -> list[Key]:
        return list(self._claims)

    def timeline(self, person: str, attribute: str, before: int | None = None) -> list[tuple[int, str]]:
        """(since, value) by day, of what holds after all corrections; without what was to be forgotten.

        before: only what was said before this day.
        """
        claims = self._claims.get((self.resolve(person), attribute), [])
        if before is not None:
            claims = [claim for claim in claims if claim.said < before]
        if any(self._is_own(claim) for claim in claims):
            claims = [claim for claim in claims if self._is_own(claim)]
        line: list[tuple[int, str]] = []
        for claim in claims:
            if claim.op == "forget":
                line = []
            elif claim.op == "correct":
                line = [*line[:-1], (line[-1][0] if line else claim.when, claim.value)]
            elif claim.op == "same":
                if (value := _latest(self.timeline(claim.value, attribute, claim.said))) is not None:
                    line.append((claim.when, value))
            elif claim.op == "set":
                line.append((claim.when, claim.value))
        return sorted(dict.fromkeys(line))

    def value(self, person: str, attribute: str, day: int | None = None) -> str | None:
        """What `attribute` was on `day` (None: in the end); None if that is not known or contradictory."""
        return _latest(
            [(since, value) for since, value in self.timeline(person, attribute) if day is None or since <= day]
        )

    def members(self, person: str, attribute: str) -> list[str]:
        """The list as it is in the end."""
        found: dict[str, None] = {}
        for claim in sorted(self._claims.get((self.resolve(person), attribute), []), key=lambda claim: claim.when):
            if not self._is_own(claim):
                continue
            if claim.op == "drop":
                found.pop(claim.value, None)
            else:
                found[claim.value] = None
        return sorted(found)

    def events(self, person: str, attribute: str) -> list[tuple[int, str]]:
        """(day, what) of everything of this kind, each once, by day."""
        claims = self._claims.get((self.resolve(person), attribute), [])
        return sorted({(claim.when, claim.value) for claim in claims if self._is_own(claim)})

    def settled(self, person: str, attribute: str) -> list[Claim]:
        """The fewest claims from which all that is still to be known of `attribute` follows, by day."""
        person, kind = self.resolve(person), ATTRIBUTES[attribute].kind
        claims = [claim for claim in self._claims.get((person, attribute), []) if self._is_own(claim)]
        if kind == "event":
            return [Claim(person, attribute, what, day, day) for day, what in self.events(person, attribute)]
        if kind == "list":
            since = {claim.value: claim.when for claim in sorted(claims, key=lambda claim: claim.when)}
            return [
                Claim(person, attribute, what, since[what], since[what]) for what in self.members(person, attribute)
            ]
        source = "" if claims else self._claims[person, attribute][-1].source
        line = self.timeline(person, attribute)
        return [Claim(person, attribute, what, since, since, "set", source) for since, what in line]

    def current(self) -> set[tuple[str, str, str]]:
        """All that holds in the end, as (person, attribute, value); an event's value has its day."""
        found: set[tuple[str, str, str]] = set()
        for person, attribute in self._claims:
            kind = ATTRIBUTES[attribute].kind
            if kind == "event":
                values: Sequence[str] = [f"{iso(day)} {what}" for day, what in self.events(person, attribute)]
            elif kind == "list":
                values = self.members(person, attribute)
            else:
                value = self.value(person, attribute)
                values = [] if value is None else [value]
            found.update((person, attribute, value) for value in values)
        return found

    def _is_own(self, claim: Claim) -> bool:
        return claim.own or self.resolve(claim.source) == self.resolve(claim.person)


def _latest(line: Sequence[tuple[int, str]]) -> str | None:
    if not line or sum(since == line[-1][0] for since, _ in line) > 1:
        return None
    return line[-1][1]

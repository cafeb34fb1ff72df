"""Questions on a stream, with exact answers: which kinds there are, how they are drawn, and how a ledger answers them.

A question carries its query in a form that needs no language, for the exact reader; the text is for everybody else.  It is
drawn when the stream has ended.  `LOCOMO` and `LONGMEMEVAL` say which categories of those benchmarks a kind stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agentgym.envs.memory.dates import iso, spelled
from agentgym.envs.memory.dialogue import banks
from agentgym.envs.memory.dialogue import vocabulary as words
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES
from agentgym.envs.memory.dialogue.facts import Key, Ledger
from agentgym.envs.memory.match import UNKNOWN, Question

Query = dict[str, Any]
LOCOMO = {
    "single_hop": "single-hop",
    "hop": "multi-hop",
    "members": "multi-hop",
    "date": "temporal",
    "country": "open-domain",
    "adversarial": "adversarial",
}
LONGMEMEVAL = {
    "single_hop": "single-session-user",
    "assistant": "single-session-assistant",
    "preference": "single-session-preference",
    "date": "temporal-reasoning",
    "first": "temporal-reasoning",
    "days": "temporal-reasoning",
    "update": "knowledge-update",
    "correction": "knowledge-update",
    "members": "multi-session",
    "count": "multi-session",
    "abstention": "abstention",
}
_NUMBERS = {"count", "days"}
_LINKS = ("sister", "boss")
_PLAIN = ("city", "job", "employer", "car", "pet", "phone", "door", "sister", "boss")


def answer(query: Query, ledger: Callable[[str, str], Ledger]) -> str:
    """The answer to `query` going by `ledger(person, attribute)`, which need only know about those two."""
    person, attribute, op = query["person"], query["attribute"], query["op"]
    if "link" in query:
        person = ledger(person, query["link"]).value(person, query["link"]) or ""
    known = ledger(person, attribute)
    if op == "members":
        return ", ".join(known.members(person, attribute)) or UNKNOWN
    if op in ("value", "country"):
        value = known.value(person, attribute, query.get("day"))
        return (words.COUNTRY.get(value or "") if op == "country" else value) or UNKNOWN
    return _of_events(query, known.events(person, attribute))


def _of_events(query: Query, events: list[tuple[int, str]]) -> str:
    if query["op"] == "count":
        return str(len(events)) if events else UNKNOWN
    days = {what: day for day, what in events}
    wanted = [days.get(query[name]) for name in ("value", "other") if name in query]
    if None in wanted:
        return UNKNOWN
    first, *rest = [day for day in wanted if day is not None]
    if query["op"] == "date":
        return iso(first)
    if query["op"] == "days":
        return str(abs(first - rest[0]))
    return UNKNOWN if first == rest[0] else str(query["value"] if first < rest[0] else query["other"])


@dataclass(slots=True)
class _Maker:
    """Candidates of every kind over the truth of one stream; `kinds` maps a kind to drawn queries."""

    rng: Random
    truth: Ledger
    people: Sequence[str]
    marks: dict[str, set[Key]] = field(default_factory=dict)

    def candidates(self) -> dict[str, list[Query]]:
        found: dict[str, list[Query]] = {}
        for person, attribute in self.truth.keys:
            for kind, query in self._of(person, attribute):
                found.setdefault(kind, []).append({"person": person, "attribute": attribute, **query})
        known = set(self.truth.keys)
        for _ in range(20):
            person, attribute = self.rng.choice(self.people), self.rng.choice(_PLAIN)
            if (person, attribute) not in known:
                query = {"op": "value", "person": person, "attribute": attribute}
                found.setdefault("abstention", []).append(query)
        return found

    def _of(self, person: str, attribute: str) -> Iterator[tuple[str, Query]]:
        known = ATTRIBUTES[attribute]
        if attribute == "alias":
            return
        if known.kind == "event":
            yield from self._of_events(person, attribute)
        elif known.kind == "list":
            if self.truth.members(person, attribute):
                yield "members", {"op": "members"}
        elif self.truth.value(person, attribute) is not None:
            yield self._value_kind(person, attribute), {"op": "value"}
            yield from self._further(person, attribute)
        elif (person, attribute) in self.marks["forgotten"]:
            yield "forgotten", {"op": "value"}

    def _value_kind(self, person: str, attribute: str) -> str:
        """The most telling name for a question on the present value."""
        if ATTRIBUTES[attribute].spoken_by == "assistant":
            return "assistant"
        for mark in ("reference", "conflict", "correction", "hearsay"):
            if (person, attribute) in self.marks[mark]:
                return mark
        if ATTRIBUTES[attribute].implicit:
            return "preference"
        return "update" if len(self.truth.timeline(person, attribute)) > 1 else "single_hop"

    def _further(self, person: str, attribute: str) -> Iterator[tuple[str, Query]]:
        line = self.truth.timeline(person, attribute)
        hearsay = (person, attribute) in self.marks["hearsay"]
        if len(line) > 1 and not hearsay and ATTRIBUTES[attribute].spoken_by == "owner":
            index = self.rng.randrange(len(line) - 1)
            yield "as_of", {"op": "value", "day": self.rng.randrange(line[index][0], line[index + 1][0])}
        if attribute == "city":
            yield "country", {"op": "country"}
        if attribute in _LINKS and (other := self.truth.value(person, attribute)):
            for far in _PLAIN[:6]:
                if self.truth.value(other, far) is not None:
                    yield "hop", {"op": "value", "link": attribute, "attribute": far}

    def _of_events(self, person: str, attribute: str) -> Iterator[tuple[str, Query]]:
        events = self.truth.events(person, attribute)
        yield "count", {"op": "count"}
        for _, what in events:
            yield "date", {"op": "date", "value": what}
        other = self.rng.choice(self.people)
        strange = {what for _, what in self.truth.events(other, attribute)} - {what for _, what in events}
        for what in sorted(strange)[:1]:
            yield "adversarial", {"op": "date", "value": what}
        if len(events) > 1:
            (one, a), (two, b) = self.rng.sample(events, 2)
            if one != two:
                yield "first", {"op": "first", "value": a, "other": b}
                yield "days", {"op": "days", "value": a, "other": b}


def draw(
    rng: Random, truth: Ledger, people: Sequence[str], marks: dict[str, set[Key]], number: int, held_out: bool
) -> list[Question]:
    """`number` questions (fewer, if the stream gives no more), as many different kinds as there are."""
    found = _Maker(rng, truth, people, marks).candidates()
    for queries in found.values():
        rng.shuffle(queries)
    kinds = sorted(found)
    rng.shuffle(kinds)
    known = next((kind for kind in kinds if kind not in UNANSWERABLE), None)
    kinds.sort(key=lambda kind: kind != known)  # the shortest list has something to know in it
    drawn: list[Question] = []
    while len(drawn) < number and any(found.values()):
        for kind in kinds:
            if found[kind] and len(drawn) < number:
                drawn.append(_ask(rng, f"q{len(drawn)}", kind, found[kind].pop(), truth, held_out))
    return drawn


UNANSWERABLE = ("abstention", "adversarial", "forgotten")


def _ask(rng: Random, id: str, kind: str, query: Query, truth: Ledger, held_out: bool) -> Question:
    known = ATTRIBUTES[query["attribute"]]
    bank = banks.QUESTIONS[_bank(kind, query)]
    aliases = [value for _, value in truth.timeline(query["person"], "alias")]
    name = aliases[-1] if aliases and rng.random() < 0.3 else query["person"]
    text = rng.choice(bank if held_out else bank[:-1]).format(
        name=name,
        noun=known.noun,
        link=query.get("link", ""),
        day=spelled(query["day"]) if "day" in query else "",
        v=query.get("value", ""),
        w=query.get("other", ""),
    )
    expected = answer(query, lambda person, attribute: truth)
    kind_of_answer = (
        "number" if query["op"] in _NUMBERS else query["op"] if query["op"] in ("date", "members") else "name"
    )
    return Question(id, kind, text, kind_of_answer, (expected,), query)


def _bank(kind: str, query: Query) -> str:
    if "link" in query:
        return "hop"
    if "day" in query:
        return "as_of"
    if query["op"] != "value":
        return str(query["op"])
    return kind if kind in ("assistant", "preference") else "value"

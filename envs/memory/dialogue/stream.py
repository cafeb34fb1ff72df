"""Streams of sessions: people talk, facts appear, change, are contradicted, corrected, referred back to and forgotten.

Every line is written together with the claim that it makes, so that truth needs no reading.  One pass, no models; half a
million words a second and more on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import TypeVar

from agentgym.envs.memory import dates
from agentgym.envs.memory.dialogue import banks
from agentgym.envs.memory.dialogue import vocabulary as words
from agentgym.envs.memory.dialogue.attributes import ALIAS, ATTRIBUTES, HELD_OUT, Attribute
from agentgym.envs.memory.dialogue.facts import Claim, Key, Op
from agentgym.envs.memory.store import TOKEN_CHARS

_TOKENS_A_PERSON = 1_000
_MOST_PEOPLE = 600
_DREAM = 0.92
T = TypeVar("T")
Said = tuple[str, Claim]

_TOLD = tuple(each for each in ATTRIBUTES.values() if each.spoken_by == "owner" and each is not ALIAS)
_CHANGING = ("city", "job", "employer", "car", "pet", "dish", "phone", "door", "boss")
_SHARED = ("city", "job", "employer", "car", "dish")
_RUMOURED = (*_SHARED, "pet")
_NOISY = (*_RUMOURED, "instrument")
_LISTED = tuple(each.name for each in _TOLD if each.kind == "list")
_SECRET = tuple(each.name for each in _TOLD if each.secret)
_ASSISTANT = tuple(each.name for each in ATTRIBUTES.values() if each.spoken_by == "assistant")


@dataclass(slots=True)
class Stream:
    """What was said line by line, the claim of each line (None: none), the people, and what had to be forgotten.

    loud: the lines that tell something or sound like it: what a fact extractor would pass on.
    """

    people: list[str]
    lines: list[str] = field(default_factory=list)
    claims: list[Claim | None] = field(default_factory=list)
    forgotten: list[tuple[str, str, str]] = field(default_factory=list)
    loud: list[int] = field(default_factory=list)


def generate(rng: Random, tokens: int, facts: float = 0.25, held_out: bool = False) -> Stream:
    """A stream of about `tokens` tokens (of four characters), a share `facts` of whose lines tell something.

    held_out: phrasings that are kept for the test split are used as well, as often as the others.
    """
    return _Talk(rng, tokens, facts, held_out).run(tokens * TOKEN_CHARS)


def draw_people(rng: Random, number: int) -> list[str]:
    """Full names; the first two share a first name, so that it alone says nothing."""
    last = rng.sample(words.LAST, min(number, len(words.LAST)))
    first = [rng.choice(words.FIRST) for _ in range(number)]
    first[1] = first[0]
    names = [f"{name} {last[index % len(last)]}" for index, name in enumerate(first)]
    spare = iter(rng.sample([f"{a} {b}" for a in words.FIRST for b in words.LAST], min(3 * number, 2_000)))
    taken: set[str] = set()
    for index, name in enumerate(names):
        while name in taken:
            name = next(spare)
        names[index] = name
        taken.add(name)
    return names


class _Talk:
    """One stream being written. `now` is what holds (value by person and attribute), `last` the day since when."""

    def __init__(self, rng: Random, tokens: int, facts: float, held_out: bool) -> None:
        self.rng, self.random, self.facts, self.held_out = rng, rng.random, facts, held_out
        self.stream = Stream(draw_people(rng, max(3, min(_MOST_PEOPLE, tokens // _TOKENS_A_PERSON))))
        self.today = date(2023, 1, 1).toordinal() + int(self.random() * 300)
        self.now: dict[Key, str] = {}
        self.last: dict[tuple[str, ...], int] = {}
        self.told: dict[Key, int] = {}
        self.values: dict[Key, set[str]] = {}
        self.nicknames = rng.sample(words.NICKNAMES, len(words.NICKNAMES))
        self.alias: dict[str, str] = {}

    def run(self, chars: int) -> Stream:
        random, lines, claims, loud = self.random, self.stream.lines, self.stream.claims, self.stream.loud
        talk, tails = banks.SMALL_TALK, banks.TAILS
        size = 0
        while size < chars:
            self.today += 1 + int(random() * 4)
            head = dates.iso(self.today)
            pair = self._pair()
            noise = random() < 0.15
            for turn in range(8 + int(random() * 24)):
                speaker = pair[turn % 2]
                claim, drawn = None, random()
                if drawn < self.facts and not noise:
                    text, claim = self._fact(speaker, pair[1 - turn % 2])
                elif speaker == "Assistant":
                    text = banks.ASSISTANT_TALK[int(random() * len(banks.ASSISTANT_TALK))]
                elif drawn > _DREAM:
                    text = self._distraction()
                else:
                    text = f"{talk[int(random() * len(talk))]} {tails[int(random() * len(tails))]}"
                if claim is not None or (drawn > _DREAM and speaker != "Assistant"):
                    loud.append(len(lines))
                line = f"{head} {speaker}: {text}"
                lines.append(line)
                claims.append(claim)
                size += len(line) + 1
        return self.stream

    # ---- what is said -----------------------------------------------------------------------------------------------

    def _fact(self, speaker: str, other: str) -> tuple[str, Claim | None]:
        """A line that tells something; small talk where nothing fits just now."""
        if speaker == "Assistant":
            return self._recommend(other) or (self._pick(banks.ASSISTANT_TALK), None)
        return self._pick(_WAYS)(self, speaker) or self._tell(speaker) or (self._pick(banks.SMALL_TALK), None)

    def _tell(self, speaker: str) -> Said | None:
        attribute = self._pick(_TOLD)
        key = (speaker, attribute.name)
        value = self._value(attribute, speaker)
        if value is None:
            return None
        slot = key if attribute.kind == "single" else (*key, value)
        when = self._when(slot)
        if when is None:
            return None
        return self._own(speaker, attribute, self._pick(self._cut(attribute.phrasings)), value, when)

    def _change(self, speaker: str) -> Said | None:
        known = [ATTRIBUTES[name] for name in _CHANGING if (speaker, name) in self.now]
        if not known:
            return None
        attribute = self._pick(known)
        value, when = self._value(attribute, speaker), self._when((speaker, attribute.name))
        if value is None or when is None:
            return None
        return self._own(speaker, attribute, self._pick(self._cut(attribute.phrasings)), value, when)

    def _correct(self, speaker: str) -> Said | None:
        known = [ATTRIBUTES[name] for name in _CHANGING if (speaker, name) in self.now]
        if not known:
            return None
        attribute = self._pick(known)
        value, old = self._value(attribute, speaker), self.now[speaker, attribute.name]
        if value is None:
            return None
        text = self._say(banks.CORRECTIONS, noun=attribute.noun, old=old, v=value)
        return text, self._claim(speaker, attribute, value, self.today, "correct")

    def _drop(self, speaker: str) -> Said | None:
        held = [(name, value) for name in _LISTED for value in sorted(self.values.get((speaker, name), ()))]
        if not held:
            return None
        name, value = self._pick(held)
        if (when := self._when((speaker, name, value))) is None:
            return None
        self.values[speaker, name].discard(value)
        self.last[speaker, name, value] = when
        day = dates.say(when, self.today, self.rng)
        text = self._say(banks.DROPS, noun=ATTRIBUTES[name].noun, v=value, when=day)
        return text, Claim(speaker, name, value, when, self.today, "drop")

    def _forget(self, speaker: str) -> Said | None:
        known = [name for name in _SECRET if (speaker, name) in self.now]
        if not known:
            return None
        name = self._pick(known)
        gone = self.values.pop((speaker, name))
        self.stream.forgotten += [(speaker, name, value) for value in sorted(gone)]
        del self.now[speaker, name]
        text = self._say(banks.FORGETS, noun=ATTRIBUTES[name].noun)
        return text, Claim(speaker, name, "", self.today, self.today, "forget")

    def _back(self, speaker: str) -> Said | None:
        other, attribute = self._pick(self.stream.people), ATTRIBUTES[self._pick(_SHARED)]
        value = self.now.get((other, attribute.name))
        fresh = self.told.get((other, attribute.name), self.today) >= self.today
        when = self._when((speaker, attribute.name))
        if other == speaker or value is None or fresh or when is None:
            return None
        if self.now.get((speaker, attribute.name)) == value:
            return None
        text = self._say(
            banks.BACK, noun=attribute.noun, name=self._name(other), when=dates.say(when, self.today, self.rng)
        )
        self._claim(speaker, attribute, value, when)
        return text, Claim(speaker, attribute.name, other, when, self.today, "same")

    def _hearsay(self, speaker: str) -> Said | None:
        attribute = ATTRIBUTES[self._pick(_RUMOURED)]
        known = [person for person in self.stream.people if person != speaker and (person, attribute.name) in self.now]
        person = self._pick(known) if known and self.random() < 0.8 else self._pick(self.stream.people)
        value = self._pick(attribute.values)
        slot = (person, attribute.name, "", "hearsay")
        if person == speaker or value == self.now.get((person, attribute.name)) or self.last.get(slot) == self.today:
            return None
        self.last[slot] = self.today
        text = self._say(banks.HEARSAY, noun=attribute.noun, name=self._name(person), v=value)
        return text, Claim(person, attribute.name, value, self.today, self.today, "set", speaker)

    def _recommend(self, owner: str) -> Said | None:
        attribute = ATTRIBUTES[self._pick(_ASSISTANT)]
        value = self._value(attribute, owner)
        if value is None or self.last.get((owner, attribute.name), 0) >= self.today:
            return None
        text = self._pick(self._cut(attribute.phrasings)).format(owner=owner, v=value)
        self._claim(owner, attribute, value, self.today)
        return text, Claim(owner, attribute.name, value, self.today, self.today, "set", "Assistant")

    def _nickname(self, speaker: str) -> Said | None:
        if speaker in self.alias or not self.nicknames:
            return None
        name = self.alias[speaker] = self.nicknames.pop()
        return self._own(speaker, ALIAS, self._pick(self._cut(ALIAS.phrasings)), name, self.today)

    def _distraction(self) -> str:
        return self._pick(banks.DISTRACTORS).format(**{name: self._pick(ATTRIBUTES[name].values) for name in _NOISY})

    # ---- small parts ------------------------------------------------------------------------------------------------

    def _pair(self) -> tuple[str, str]:
        people = self.stream.people
        one = people[int(self.random() * len(people))]
        if self.random() < 0.35:
            return one, "Assistant"
        two = people[int(self.random() * len(people))]
        return one, two if two != one else "Assistant"

    def _own(self, speaker: str, attribute: Attribute, phrasing: str, value: str, when: int) -> Said:
        text = phrasing.format(v=value, when=dates.say(when, self.today, self.rng)) if "{when}" in phrasing else ""
        return text or phrasing.format(v=value), self._claim(speaker, attribute, value, when)

    def _claim(self, person: str, attribute: Attribute, value: str, when: int, op: Op = "set") -> Claim:
        key = (person, attribute.name)
        if attribute.kind == "single":
            self.now[key] = value
            if op == "set":
                self.last[key] = when
        else:
            self.last[person, attribute.name, value] = when
        self.values.setdefault(key, set()).add(value)
        self.told[key] = self.today
        return Claim(person, attribute.name, value, when, self.today, op)

    def _value(self, attribute: Attribute, person: str) -> str | None:
        """A value that `person` has not had so far."""
        if attribute.person:
            value, known = self._pick(self.stream.people), self.now.get((person, attribute.name))
            settled = known is not None and attribute.name not in _CHANGING
            return None if settled or value in (person, known) else value
        if not attribute.values:
            return f"{100 + int(self.random() * 9900)}-{100 + int(self.random() * 9900)}"
        value = self._pick(attribute.values)
        return None if value in self.values.get((person, attribute.name), ()) else value

    def _when(self, slot: tuple[str, ...]) -> int | None:
        """A day up to today, later than the last one of this slot; None if there is none."""
        last = self.last.get(slot, 0)
        when = self.today - dates.OFFSETS[int(self.random() * len(dates.OFFSETS))]
        if when > last:
            return when
        return self.today if self.today > last else None

    def _name(self, person: str) -> str:
        alias = self.alias.get(person)
        return alias if alias is not None and self.random() < 0.4 else person

    def _say(self, bank: Sequence[str], **parts: str) -> str:
        return self._pick(self._cut(bank)).format(**parts)

    def _cut(self, bank: Sequence[str]) -> Sequence[str]:
        """What may be said of a bank in this split."""
        return bank if self.held_out else bank[:-HELD_OUT]

    def _pick(self, bank: Sequence[T]) -> T:
        return bank[int(self.random() * len(bank))]


_WAYS: tuple[Callable[[_Talk, str], Said | None], ...] = (
    *[_Talk._tell] * 9,
    *[_Talk._change] * 5,
    *[_Talk._hearsay] * 3,
    *[_Talk._forget] * 2,
    *(_Talk._correct, _Talk._drop, _Talk._drop, _Talk._back, _Talk._nickname),
)
"""How often each way of telling something is tried; what does not fit falls back to the first."""

"""From text to claims: lines of a dialogue as they were spoken, and notes `2024-05-02 | Ada Brandt | car | red Fiat`.

The inverse of the phrasings, held-out ones included: what is said in another way is not understood.  A note says since (or on)
which day a thing holds; "- " before the value means that a list lost it; a fifth field `by NAME` gives hearsay's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from agentgym.envs.memory import dates
from agentgym.envs.memory.dialogue import banks
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES, Attribute
from agentgym.envs.memory.dialogue.facts import Claim, Op

_NAME = r"\w[\w .'-]{0,60}?"
_CODE = re.compile(r"\d{3,4}-\d{2,4}")
_SPOKEN = re.compile(r"(\d{4}-\d\d-\d\d) ([^:|]{1,80}): (.+)")
_BY_NOUN = {each.noun: each for each in ATTRIBUTES.values()}
_BANKS: tuple[tuple[tuple[str, ...], Op], ...] = (
    (banks.HEARSAY, "set"),
    (banks.CORRECTIONS, "correct"),
    (banks.DROPS, "drop"),
    (banks.FORGETS, "forget"),
    (banks.BACK, "same"),
)


def note(claim: Claim) -> str:
    """`claim` as a note; reading it gives the claim back, said on the day since when it holds."""
    value = f"- {claim.value}" if claim.op == "drop" else claim.value
    by = "" if claim.own else f" | by {claim.source}"
    return f"{dates.iso(claim.when)} | {claim.person} | {ATTRIBUTES[claim.attribute].noun} | {value}{by}"


def read(text: str) -> list[Claim]:
    """All claims of a text, line by line; lines that claim nothing are passed over."""
    return [claim for line in text.split("\n") if (claim := _read_line(line.strip())) is not None]


def hear(line: str) -> Claim | None:
    """What a line of a dialogue claims."""
    if (found := _SPOKEN.fullmatch(line)) is None or (today := dates.read(found[1])) is None:
        return None
    speaker, text = found[2], found[3]
    first = text.partition(" ")[0]
    for pattern, attribute, op in (*_patterns().get(first, ()), *_patterns()[""]):
        if (match := pattern.fullmatch(text)) and (claim := _claim(match, attribute, op, speaker, today)):
            return claim
    return None


def _read_line(line: str) -> Claim | None:
    if " | " not in line:
        return hear(line) if line[:1].isdigit() else None
    parts = [part.strip() for part in line.split("|")]
    if len(parts) not in (4, 5) or (day := dates.read(parts[0])) is None or not parts[1]:
        return None
    attribute = _BY_NOUN.get(parts[2]) or ATTRIBUTES.get(parts[2])
    dropped = parts[3].startswith("-")
    value = parts[3].lstrip("-+ ") if attribute is None or attribute.kind == "list" else parts[3]
    if attribute is None or not _possible(attribute, value):
        return None
    source = parts[4].removeprefix("by ") if len(parts) == 5 else ""
    op: Op = "drop" if dropped and attribute.kind == "list" else "set"
    return Claim(parts[1], attribute.name, value, day, day, op, source)


def _claim(match: re.Match[str], attribute: Attribute | None, op: Op, speaker: str, today: int) -> Claim | None:
    found = match.groupdict()
    attribute = attribute or _BY_NOUN[found["noun"]]
    value = found["name"] if op == "same" else found.get("v", "")
    if op not in ("same", "forget") and not _possible(attribute, value):
        return None
    if attribute.spoken_by == "assistant" and speaker != "Assistant":
        return None
    when = dates.hear(found["when"], today) if "when" in found else today
    if when is None:
        return None
    hearsay = op == "set" and "name" in found
    person = found["name"] if hearsay else found.get("owner") or speaker
    return Claim(person, attribute.name, value, when, today, op, speaker if hearsay or speaker == "Assistant" else "")


def _possible(attribute: Attribute, value: str) -> bool:
    if attribute.values:
        return value in attribute.values
    if attribute.person:
        return re.fullmatch(_NAME, value) is not None
    return _CODE.fullmatch(value) is not None


@cache
def _patterns() -> dict[str, list[tuple[re.Pattern[str], Attribute | None, Op]]]:
    """Every phrasing as a pattern, by its first word; by "" those whose first word varies. Longest first."""
    made: dict[str, list[tuple[re.Pattern[str], Attribute | None, Op]]] = {"": []}
    for text, attribute, op in sorted(_phrasings(), key=lambda each: -len(each[0])):
        first = text.partition(" ")[0]
        made.setdefault("" if "{" in first else first, []).append((_compile(text), attribute, op))
    return made


def _phrasings() -> Iterator[tuple[str, Attribute | None, Op]]:
    for attribute in ATTRIBUTES.values():
        yield from ((text, attribute, "set") for text in attribute.phrasings)
    for bank, op in _BANKS:
        yield from ((text, None, op) for text in bank)


def _compile(text: str) -> re.Pattern[str]:
    nouns = "|".join(re.escape(each.noun) for each in sorted(ATTRIBUTES.values(), key=lambda each: -len(each.noun)))
    groups = {"v": ".{1,60}?", "old": ".{1,60}?", "name": _NAME, "owner": _NAME, "when": dates.PATTERN, "noun": nouns}
    parts = re.split(r"\{(\w+)\}", text)
    seen: set[str] = set()
    made = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            made.append(re.escape(part))
        else:
            made.append(f"(?P={part})" if part in seen else f"(?P<{part}>{groups[part]})")
            seen.add(part)
    return re.compile("".join(made))

"""The exact reader of manuals: notes `capabilities(7) | CAP_CHOWN | Make arbitrary changes ...`, and entries as they stand.

A gist may be shortened: of a page's entries the one most alike to what is asked wins (by F1 over words), if that is half or more
and more than any other's.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from agentgym.envs.memory.match import UNKNOWN, Question
from agentgym.envs.memory.store import Memory
from agentgym.tasks import Task

BLANK = "____"
_NOTE = re.compile(r"(\S{1,60}\(\w{1,4}\))(?: \| |: )(\S{2,40}?),?(?: [^|:]{0,60})?(?: \| |: )(.+)")
_WORD = re.compile(r"\w[\w'-]*")


class Kept(NamedTuple):
    page: str
    name: str
    gist: str


def note(page: str, name: str, gist: str) -> str:
    return f"{page} | {name} | {gist}"


class ManualsReading:
    """A `Reading` of memories of manuals."""

    def answer(self, question: Question, memory: Memory) -> str:
        query = question.query
        match query["op"]:
            case "entry":
                return _closest(query["gist"], [k for k in _found(memory, query["gist"]) if k.page == query["page"]])
            case "page":
                pages = {kept.page for kept in _found(memory, query["name"]) if kept.name == query["name"]}
                return pages.pop() if len(pages) == 1 else UNKNOWN
            case _:
                wanted = (query["page"], query["name"])
                gists = [k.gist for k in _found(memory, f"{wanted[0]} {wanted[1]}") if (k.page, k.name) == wanted]
                return _fill(query["gist"], gists)

    def inspect(self, task: Task, memory: Memory) -> dict[str, float]:
        real = {(page, name): words(gist) for _, page, name, gist in task.secret["entries"]}
        kept = {(k.page, k.name): words(k.gist) for text in memory.texts for k in read(text)}
        right = sum(_share(real[key], said) >= 0.5 for key, said in kept.items() if key in real)
        return {
            "recall": right / max(1, len(real)),
            "precision": right / len(kept) if kept else 0.0,
            "stale": 0.0,  # manuals do not change while they are read
        }


@lru_cache(maxsize=1 << 16)
def read(text: str) -> tuple[Kept, ...]:
    """The entries that a text notes, line by line."""
    return tuple(Kept(*found.groups()) for line in text.split("\n") if (found := _NOTE.fullmatch(line.strip()[:4_000])))


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _found(memory: Memory, query: str) -> list[Kept]:
    texts = [memory.core, *(memory.text_of(id) for id in memory.search(query))]
    return [kept for text in texts if text for kept in read(text)]


def _closest(gist: str, kept: list[Kept]) -> str:
    best: dict[str, float] = {}
    for each in kept:
        best[each.name] = max(best.get(each.name, 0.0), _share(words(gist), words(each.gist)))
    ranked = sorted(best.items(), key=lambda item: -item[1])
    if not ranked or ranked[0][1] < 0.5 or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return UNKNOWN
    return ranked[0][0]


def _share(wanted: list[str], said: list[str]) -> float:
    """How much of two gists is the same words, as F1: neither a list of all words nor a single one pays."""
    common = sum((Counter(wanted) & Counter(said)).values())
    return 2 * common / max(1, len(wanted) + len(said))


def _fill(gapped: str, gists: list[str]) -> str:
    """The word in the gap, from a kept gist in which the words on both sides of it stand as they do here."""
    before, _, after = gapped.partition(BLANK)
    left, right = words(before)[-2:], words(after)[:2]
    found = set()
    for gist in gists:
        said = words(gist)
        for place in range(len(said)):
            if said[max(0, place - len(left)) : place] == left and said[place + 1 : place + 1 + len(right)] == right:
                found.add(said[place])
    return found.pop() if len(found) == 1 else UNKNOWN

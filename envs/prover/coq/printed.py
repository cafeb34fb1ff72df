"""What coqidetop prints, as text: documents, and goals as it lists them. Reads bytes, knows no calls and no answers.

Its tags are where the text is cut, since text is escaped and can hold none.  No tree is made of them: what is said in
13 kB, as goals often are, comes to hundreds of elements, most of them boxes that only say where a line may break.  What
stands between two pieces of text is the same few things again and again, and is read once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agentgym.envs.prover.backend import Goal, Goals

_STRING, _STRING_END = b'<ppdoc val="string"><string>', b"</string>"
_GOAL, _GOAL_END = b"<goal>", b"</goal>"
_HYPOTHESES_END = b"</list><ppdoc"
"""Inside a document a list is the last thing of its element, so that this is found only before a conclusion."""
_TAG = re.compile(
    rb'<ppdoc val="break"><pair><int>(?P<break>\d+)</int><int>-?\d+</int></pair></ppdoc>|(?P<newline><ppdoc val="newline"/>)'
    rb'|(?P<open><ppdoc val="\w+">)|(?P<close></ppdoc>)|<(?P<of>int|string)>[^<]*</(?P=of)>|</?\w+(?: \w+="[^"<>]*")*/?>'
)
_LAYER = re.compile(rb"(?P<open><list>)|(?P<close></list>)|(?P<empty><list/>)|(?P<goal>#)|<[^<>]*>")
_ESCAPES = ((b"&nbsp;", b" "), (b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"), (b"&amp;", b"&"))


def text(document: bytes) -> str:
    """A printed document, whole and without line breaks that only width asks for. Raises ValueError if it is none.

    Coq's other format, rendered text, stops with "..." after fifty boxes: different goals would look the same.
    """
    _, *pieces = document.split(_STRING)
    parts = []
    for piece in pieces:
        said, _, tags = piece.partition(_STRING_END)
        parts += [said, _between(tags)[2]]
    return _plain(parts)


def goals(value: bytes) -> Goals:
    """What is left to prove, from the element `goals`: four lists, the second a zipper. Raises ValueError if it is none."""
    first, *rest = value.split(_GOAL)
    told = [each.partition(_GOAL_END) for each in rest]
    here, elsewhere, shelved, given_up = _shape(b"#".join([first, *(after for _, _, after in told)]))
    found = tuple([_goal(inside) for inside, _, _ in told])
    ends = (here, here + elsewhere, here + elsewhere + shelved, here + elsewhere + shelved + given_up)
    return Goals(found[: ends[0]], found[ends[0] : ends[1]], found[ends[1] : ends[2]], found[ends[2] : ends[3]])


@lru_cache(maxsize=512)
def _goal(inside: bytes) -> Goal:
    """A goal: its number, the list of its hypotheses, its conclusion. Remembered, since most wait while one is worked on."""
    _, opened, listed = inside.partition(b"<list")
    if listed.startswith(b"/>"):
        return Goal((), text(listed))
    hypotheses, ended, conclusion = listed.partition(_HYPOTHESES_END)
    if not opened or not ended:
        raise ValueError(f"this is no goal: {inside[:100]!r}")
    return Goal(_documents(hypotheses[1:]), text(conclusion))


def _documents(listed: bytes) -> tuple[str, ...]:
    """The text of each of several documents: one ends where no element is open."""
    first, *pieces = listed.split(_STRING)
    depth, found, parts = _between(first)[0], [], []
    for piece in pieces:
        said, _, tags = piece.partition(_STRING_END)
        rise, lowest, blank = _between(tags)
        parts += [said, blank]
        if depth + 1 + lowest == 0:
            found.append(_plain(parts))
            parts = []
        depth += 1 + rise
    return tuple(found)


@lru_cache(maxsize=4096)
def _between(tags: bytes) -> tuple[int, int, bytes]:
    """What stands between two strings: by how much documents nest deeper after it, and at its lowest, and what blanks it is."""
    depth, lowest, at, blanks = 0, 0, 0, b""
    for tag in _TAG.finditer(tags):
        if tag.start() != at:
            break
        at = tag.end()
        if tag["open"]:
            depth += 1
        elif tag["close"]:
            depth -= 1
            lowest = min(lowest, depth)
        elif tag["newline"]:
            blanks += b"\n"
        elif tag["break"]:
            blanks += b" " * int(tag["break"])
    if at != len(tags):
        raise ValueError(f"tags were expected: {tags[at : at + 100]!r}")
    return depth, lowest, blanks


@lru_cache(maxsize=512)
def _shape(lists: bytes) -> tuple[int, ...]:
    """How many goals (#) each of four lists holds, however deep in it."""
    counts, depth = [0], 0
    for each in _LAYER.finditer(lists):
        depth += bool(each["open"]) - bool(each["close"])
        counts[-1] += bool(each["goal"])
        if depth == 0 and (each["close"] or each["empty"]):
            counts.append(0)
    if len(counts) != 5 or depth:
        raise ValueError(f"four lists of goals were expected: {lists[:100]!r}")
    return tuple(counts[:4])


def _plain(parts: list[bytes]) -> str:
    said = b"".join(parts)
    if b"&" in said:
        for escape, character in _ESCAPES:
            said = said.replace(escape, character)
    return said.decode("utf-8", "replace").strip()

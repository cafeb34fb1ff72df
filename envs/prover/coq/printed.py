"""What coqidetop prints, as text: documents, and goals as it lists them. Reads bytes, knows no calls and no answers.

Its tags are where the text is cut, since text is escaped and can hold none.  No tree is made of them: what is said in
13 kB, as goals often are, comes to hundreds of elements, most of them boxes that only say where a line may break.  What
stands between two pieces of text is the same few things again and again, and is read once.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from typing import Any

from agentgym.envs.prover.backend import Goal, Goals, Kind
from agentgym.errors import SandboxError

_GOALS, _GOALS_END = b"<goals>", b"</goals>"
_SOME, _NONE = b"<goals><list><goal>", b"<goals><list/><list/><list/><list/></goals>"
_LAYERS = tuple(each.name for each in fields(Goals))
_STRING, _STRING_END = b'<ppdoc val="string"><string>', b"</string>"
_GOAL, _GOAL_END = b"<goal>", b"</goal>"
_HYPOTHESES_END = b"</list><ppdoc"
"""Inside a document a list is the last thing of its element, so that this is found only before a conclusion."""
_LIKELY = b'<ppdoc val="box"><pair><ppbox val="hovbox"><int>0</int></ppbox><ppdoc val="glue"><list><ppdoc val="string">'
"""What a hypothesis begins with, and now and then a part of one."""
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


class Listed(Goals):
    """Goals as coqidetop listed them, read when somebody wants to know more than whether any are left.

    Reading them takes a fifth as long as a step does, and who replays a proof looks at none.  Raises SandboxError then if
    they can not be read.
    """

    __slots__ = ("_said",)

    def __init__(self, said: bytes) -> None:
        """`said`: the element `goals`, whole. Raises ValueError if it has no end."""
        if not said.startswith(_GOALS) or not said.endswith(_GOALS_END):
            raise ValueError(f"goals were expected: {said[:100]!r}")
        object.__setattr__(self, "_said", said)

    @property
    def kind(self) -> Kind:
        if self._said.startswith(_SOME):
            return "open"
        return "finished" if self._said == _NONE else super().kind

    def __getattr__(self, name: str) -> Any:
        """A field that has not been read."""
        if name not in _LAYERS:
            raise AttributeError(name)
        try:
            layers = _layers(self._said)
        except ValueError as error:
            raise SandboxError(f"the prover broke its protocol: {error}", "ambiguous") from None
        for layer, found in zip(_LAYERS, layers, strict=True):
            object.__setattr__(self, layer, found)
        object.__setattr__(self, "_said", b"")
        return getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Goals) and all(getattr(self, each) == getattr(other, each) for each in _LAYERS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, each) for each in _LAYERS))


def _layers(value: bytes) -> list[tuple[Goal, ...]]:
    """What is left to prove: four lists, the second a zipper. Raises ValueError if it is anything else."""
    found: list[Goal] = []
    between, at = [], 0
    while (begins := value.find(_GOAL, at)) >= 0:
        ends = value.find(_GOAL_END, begins)
        if ends < 0:
            raise ValueError(f"a goal has no end: {value[begins : begins + 100]!r}")
        found.append(_goal(value[begins + len(_GOAL) : ends]))
        between.append(value[at:begins])
        at = ends + len(_GOAL_END)
    left = iter(found)
    return [tuple(islice(left, count)) for count in _shape(b"#".join([*between, value[at:]]))]


@lru_cache(maxsize=512)
def _goal(inside: bytes) -> Goal:
    """A goal: its number, the list of its hypotheses, its conclusion. Remembered, since most wait while one is worked on."""
    _, opened, listed = inside.partition(b"<list")
    if listed.startswith(b"/>"):
        return Goal((), text(listed))
    hypotheses, ended, conclusion = listed.partition(_HYPOTHESES_END)
    if not opened or not ended:
        raise ValueError(f"this is no goal: {inside[:100]!r}")
    return Goal(tuple(_hypotheses(hypotheses[1:])), text(conclusion))


def _hypotheses(listed: bytes) -> list[str]:
    """The text of each: most stood there before the last step, too, and are remembered."""
    piece, *rest = listed.split(_LIKELY)
    found: list[str] = []
    for more in rest:
        if (whole := _documents(piece)) is not None:
            found += whole
            piece = _LIKELY + more
        else:
            piece += _LIKELY + more
    last = _documents(piece)
    if last is None:
        raise ValueError(f"a hypothesis has no end: {piece[:100]!r}")
    return [*found, *last]


@lru_cache(maxsize=2048)
def _documents(listed: bytes) -> tuple[str, ...] | None:
    """The text of each of several documents: one ends where no element is open. None if the last does not end."""
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
    return tuple(found) if depth == 0 else None


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

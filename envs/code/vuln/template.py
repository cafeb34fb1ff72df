"""Templates of programs: one text that holds a flawed program and its repaired twin. Parsing and rendering, no content.

A template is a sequence of files, each begun by `=== name`.  A line that starts with `-|` is in the flawed program
alone, one with `+|` in the repaired alone.  A line may end in a mark: `#@sink` for the dangerous operation, `#@flaw`
for what lets the attack through, `#@guard` for what stops it (`//@` in C).  Marks are taken off and become truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from agentgym.envs.code.vuln.names import Names

_MARK = re.compile(r"\s*(?:#|//)@(\w+)$")
_DEFINITION = re.compile(r"(def|class)\b|@")


@dataclass(slots=True, frozen=True)
class Family:
    """One way in which a program goes wrong.

    name: unique; cwe: the weakness; also: further CWE numbers that an expert may give it; split: where its programs go.
    template: the files; routes: placeholders of the handlers that clients can call (Python only).
    proof: Python source that defines `works()` and `exploited()` over the rendered program (see `proof.py`).
    """

    name: str
    cwe: int
    also: tuple[int, ...]
    split: str
    template: str
    proof: str
    routes: tuple[str, ...] = ()
    language: str = "python"


@dataclass(slots=True, frozen=True)
class Place:
    """A range of lines (from 1, both ends in it) of a file, and the function that it stands in."""

    file: str
    start: int
    end: int
    role: str
    symbol: str


@dataclass(slots=True)
class Rendered:
    """Files by path, and the marked places in them."""

    files: dict[str, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)


def split_files(template: str) -> dict[str, str]:
    """The texts of a template's files by name."""
    files = {}
    for part in re.split(r"^=== ", template, flags=re.M)[1:]:
        name, _, text = part.partition("\n")
        files[name.strip()] = text.strip("\n") + "\n"
    return files


def render(sources: Mapping[str, str], names: Names, vulnerable: bool, order: Random | None) -> Rendered:
    """Fill in names, keep one twin's lines, put functions in an order drawn from `order`, and read off the marks.

    Without `order` they stay as they are: a C compiler cares.
    """
    rendered = Rendered()
    for name, source in sources.items():
        path = names.fill(name)
        lines = [_side(line, vulnerable) for line in names.fill(source).split("\n")]
        text = "\n".join(line for line in lines if line is not None)
        if order is not None:
            text = _shuffled(text, order)
        marked = [_MARK.search(line) for line in text.split("\n")]
        clean = [_MARK.sub("", line) for line in text.split("\n")]
        rendered.files[path] = "\n".join(clean)
        rendered.places += [
            Place(path, number, number, mark[1], enclosing(clean, number))
            for number, mark in enumerate(marked, 1)
            if mark
        ]
    return rendered


def enclosing(lines: list[str], number: int) -> str:
    """The name of the function that line `number` stands in, else the first word of the line itself."""
    for line in reversed(lines[:number]):
        if found := re.match(r"(?:def|class)\s+(\w+)|\w[\w\s*]*?\b(\w+)\([^;]*\{$", line):
            return found[1] or found[2]
        if line and not line[0].isspace() and line[0] not in "}#/":
            break
    found = re.match(r"\W*(\w+)", lines[number - 1])
    return found[1] if found else ""


def _side(line: str, vulnerable: bool) -> str | None:
    if line[:2] in ("-|", "+|"):
        return line[2:] if (line[0] == "-") == vulnerable else None
    return line


def _shuffled(text: str, order: Random) -> str:
    """The functions of a file in another order; what stands before the first and after the last stays there."""
    blocks = text.strip("\n").split("\n\n\n")
    where = [index for index, block in enumerate(blocks) if _DEFINITION.match(block)]
    moved = [blocks[index] for index in where]
    order.shuffle(moved)
    for index, block in zip(where, moved, strict=True):
        blocks[index] = block
    return "\n\n\n".join(blocks) + "\n"

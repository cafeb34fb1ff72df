"""Reading a page back from what an agent was shown of it: for scripted policies, which see what any agent sees."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from agentgym.policy import Context

_LINE = re.compile(r"^(\t*)\[(\d+)\] (\S+) '((?:[^'\\]|\\.)*)'(.*)$")
_VALUE = re.compile(r"(?:^|, )value='((?:[^'\\]|\\.)*)'")
_BOX = re.compile(r"box=\((-?\d+),(-?\d+),(-?\d+),(-?\d+)\)")
_COLOUR = re.compile(r"colour=(\w+(?:\([^)]*\))?)")
_STATE = re.compile(r", ([\w-]+(?:=[^,=]+)?)(?=,|$)")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(slots=True)
class Row:
    """One line of a page in the style "axtree". `options` are those of a list; `box` and `colour` where they were shown."""

    depth: int
    ref: int
    role: str
    name: str
    value: str | None
    states: frozenset[str]
    box: tuple[int, int, int, int] | None
    colour: str
    options: list[str] = field(default_factory=list)

    @property
    def centre(self) -> tuple[float, float]:
        x, y, width, height = self.box or (0, 0, 0, 0)
        return x + width / 2, y + height / 2


def page_of(context: Context) -> list[Row]:
    """The page that was shown last."""
    for message in reversed(context.messages):
        if message.role in ("user", "tool") and (rows := rows_of(message.text)):
            return rows
    return []


def rows_of(text: str) -> list[Row]:
    """The rows of a page within `text`; what is no row is left out."""
    rows: list[Row] = []
    for line in text.splitlines():
        if (match := _LINE.match(line)) is None:
            continue
        tail = match[5]
        value = _VALUE.search(tail)
        rest = _VALUE.sub("", tail)
        box = _BOX.search(rest)
        colour = _COLOUR.search(rest)
        states = _STATE.findall(_COLOUR.sub("", _BOX.sub("", rest)))
        place = (int(box[1]), int(box[2]), int(box[3]), int(box[4])) if box else None
        row = Row(
            *(len(match[1]), int(match[2]), match[3], _plain(match[4]), _plain(value[1]) if value else None),
            *(frozenset(states), place, colour[1] if colour else ""),
        )
        if row.role == "option" and (owner := next((each for each in reversed(rows) if each.depth < row.depth), None)):
            owner.options.append(row.name)
        rows.append(row)
    return rows


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def calls_of(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """The calls that the policy has made so far."""
    said = (message for message in context.messages if message.role == "assistant")
    return [(call.name, json.loads(call.arguments)) for message in said for call in message.tool_calls]

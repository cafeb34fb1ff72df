"""What is on a screen and could be meant, as `extract.js` tells it. Values only: what is said about them is for `meaning`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
_ENDS = re.compile(r"[\s:*…]+$|\.{3}$")


def plain(name: str) -> str:
    """A name as people compare names: case, spaces and a colon or star at its end do not matter."""
    return _ENDS.sub("", " ".join(name.split())).casefold()


@dataclass(slots=True, frozen=True)
class Candidate:
    """One thing that any part of is in view. Boxes are x0, y0, x1, y1 in CSS pixels of the window.

    role: BrowserGym's, and "icon" for what is acted on and shows no text.  also: where else one may click to the same end
    (a control's label).  groups: (kind, name) of what it is in, innermost first.  trouble: why it is not to be asked for
    ("" if it may be); it still counts against others' being the only one.  field: the type of an input, "" for others.
    """

    role: str
    name: str
    box: Box
    also: tuple[Box, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    field: str = ""

    @property
    def plain(self) -> str:
        return plain(self.name)

    @property
    def kind(self) -> str:
        """ScreenSpot's word for it."""
        return "icon" if self.role in ("icon", "image") else "text"

    @property
    def centre(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def read(first: list[dict[str, Any]], again: list[dict[str, Any]]) -> list[Candidate]:
    """From two looks at one page: what has moved or changed in between is not to be asked for."""
    still = {_key(row) for row in again}
    return [_candidate(row, "" if _key(row) in still else "moving") for row in first]


def _candidate(row: dict[str, Any], moving: str) -> Candidate:
    also: tuple[Box, ...] = tuple(_box(each) for each in row["also"])
    groups = tuple((kind, name) for kind, name in row["groups"])
    return Candidate(row["role"], row["name"], _box(row["box"]), also, groups, row["trouble"] or moving, row["field"])


def _box(numbers: list[float]) -> Box:
    left, top, right, bottom = numbers
    return left, top, right, bottom


def _key(row: dict[str, Any]) -> tuple[object, ...]:
    return row["role"], row["name"], *row["box"]

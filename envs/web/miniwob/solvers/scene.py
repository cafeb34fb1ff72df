"""Scene: what a solver looks at, with the small questions that all of them ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agentgym.envs.web.reading import Row

Call = tuple[str, dict[str, Any]]
Calls = Call | list[Call]
_FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "Date", "InputTime"})
_QUOTED = re.compile(r'"([^"]*)"')
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
WAIT: Call = ("noop", {"wait_ms": 300})


class Stuck(Exception):
    """The page is not as the solver expects it."""


@dataclass
class Scene:
    """`goal`: the instruction; `rows`: the page, now and at first; `done`: the calls so far."""

    goal: str
    rows: list[Row]
    first: list[Row]
    done: list[Call]

    @cached_property
    def quoted(self) -> list[str]:
        """What stands in quotes in the instruction."""
        return _QUOTED.findall(self.goal)

    @cached_property
    def ordinals(self) -> list[int]:
        """1 for "1st", and so on."""
        return [int(number) for number in _ORDINAL.findall(self.goal)]

    @cached_property
    def fields(self) -> list[Row]:
        """What text can be put into."""
        return [row for row in self.rows if row.role in _FIELDS and "readonly" not in row.states]

    def all(self, *roles: str) -> list[Row]:
        return [row for row in self.rows if row.role in roles]

    def find(self, name: str | None = None, *roles: str, nth: int = 0) -> Row | None:
        """The nth row of that name (whatever case) and of one of these roles, if there is one."""
        found = [row for row in self.rows if not roles or row.role in roles]
        if name is not None:
            exact = [row for row in found if row.name.strip() == name]
            found = exact or [row for row in found if _same(row.name, name)]
        return found[nth] if -len(found) <= nth < len(found) else None

    def need(self, name: str | None = None, *roles: str, nth: int = 0) -> Row:
        """As `find`, but there must be one."""
        row = self.find(name, *roles, nth=nth)
        if row is None:
            raise Stuck(f"there is no {' or '.join(roles) or 'element'} {name!r}")
        return row

    def hinted(self, hint: str) -> list[Row]:
        """Rows whose maker called them so (class or id)."""
        return [row for row in self.rows if any(hint in state for state in row.states if "=" in state)]

    def match(self, pattern: str) -> re.Match[str]:
        """A pattern in the instruction."""
        found = re.search(pattern, self.goal)
        if found is None:
            raise Stuck(f"{self.goal!r} is not like {pattern!r}")
        return found

    def count(self, name: str) -> int:
        """How many calls of that tool were made."""
        return sum(call[0] == name for call in self.done)


Solver = Callable[[Scene], Calls]


def click(row: Row) -> Call:
    return "click", {"bid": row.ref}


def fill(row: Row, text: str) -> Call:
    return "fill", {"bid": row.ref, "value": text}


def at(x: float, y: float) -> Call:
    return "mouse_click", {"x": round(x, 1), "y": round(y, 1)}


def filled(row: Row, text: str) -> bool:
    """Whether a field holds `text`, as far as can be seen: a password shows as dots."""
    return row.value == text or (set(row.value or "") == {"•"} and len(row.value or "") == len(text))


def fill_then(scene: Scene, wanted: list[tuple[Row, str]], last: str = "Submit") -> Call:
    """Fill what is not filled yet, one field a call, then click the button."""
    for row, text in wanted:
        if not filled(row, text):
            return fill(row, text)
    return click(scene.need(last, "button"))


def _same(one: str, other: str) -> bool:
    return one.casefold().strip() == other.casefold().strip()

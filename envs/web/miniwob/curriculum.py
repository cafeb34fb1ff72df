"""Where an episode begins: the curricula of "Learning to Navigate the Web" (Gur et al. 2019, arXiv 1812.09195). Pure.

A page's solver is watched once to its end. Then the page is begun anew, and some of what was done is done again: all but
the last steps, or all but some fields of the instruction.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from types import ModuleType

from agentgym.envs.web.miniwob.solvers.scene import Call
from agentgym.envs.web.miniwob.tasks import pages
from agentgym.envs.web.reading import Row


@dataclass(slots=True, frozen=True)
class Deed:
    """A call, and the element that it was about."""

    call: Call
    row: Row | None

    @property
    def sets(self) -> str | None:
        """What it puts into a form; None if it does something else."""
        name, given = self.call
        if name == "click":
            return self.row.name if self.row and self.row.role in ("checkbox", "radio") else None
        value = given.get({"fill": "value", "select_option": "options"}.get(name, ""))
        return value if isinstance(value, str) else None


@dataclass(slots=True, frozen=True)
class Start:
    """What is done before the agent's turn, and what it is told of that."""

    deeds: Sequence[Deed] = ()
    said: str = ""


def near_the_goal(deeds: Sequence[Deed], left: int) -> Start:
    """All but the last `left` steps."""
    done = deeds[: max(len(deeds) - left, 0)]
    return Start(done, "Some of it is done already.") if done else Start()


def part_of_the_instruction(page: str, goal: str, deeds: Sequence[Deed], count: int, rng: Random) -> Start:
    """All but `count` fields of the instruction, and the button that ends it. Nothing, on a page that is no such form."""
    fields = fields_of(page, goal, deeds)
    if len(fields) <= count:
        return Start()
    left = sorted(rng.sample(range(len(fields)), count))
    done = [deed for n, (_, _, deed) in enumerate(fields) if n not in left]
    told = "; ".join(f"{key}: {value}" for key, value, _ in (fields[n] for n in left))
    return Start(done, f"All of it is done but this, and what ends it: {told}")


def fields_of(page: str, goal: str, deeds: Sequence[Deed]) -> list[tuple[str, str, Deed]]:
    """(name, value, the one deed that sets it) of each field of the instruction, if a form is all that the page is."""
    *settings, last = deeds
    if last.call[0] != "click" or any(deed.sets is None for deed in settings):
        return []
    found = [(key, value, [deed for deed in settings if deed.sets == value]) for key, value in _told(page, goal)]
    return [(key, value, by[0]) for key, value, by in found if len(by) == 1]


def _told(page: str, goal: str) -> list[tuple[str, str]]:
    try:
        extract: Callable[[str], list[tuple[str, str]]] = _extractors().get_field_extractor(page)
        return extract(goal)
    except (ValueError, KeyError):  # as it says of an instruction, or a page, that it does not know
        return []


@cache
def _extractors() -> ModuleType:
    """Farama's own list of what the fields of an instruction are, without the package around it, which wants Selenium."""
    found = importlib.util.spec_from_file_location("_miniwob_fields", pages().parent / "fields.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module

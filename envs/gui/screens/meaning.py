"""What an instruction means, apart from its words, and which things on a screen it fits. An instruction is true if it fits one.

`resolve` is the oracle that every sample has passed: it looks at everything that is in view, asked for or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from agentgym.envs.gui.screens.candidates import Box, Candidate, plain

How = Literal["name", "role", "within", "nth", "nth_named", "beside", "purpose"]
Side = Literal["right", "left", "below", "above"]
MOST_ALIKE = 8
"""Nobody counts to more."""
_FAMILIES = (
    ("button", "link", "item", "menuitem", "tab", "option"),
    ("textbox", "searchbox", "spinbutton", "date"),
    ("text", "heading", "cell", "columnheader"),
    ("icon", "image"),
    ("checkbox", "switch"),
)
_FAMILY = {role: n for n, roles in enumerate(_FAMILIES) for role in roles}
_COUNTED = frozenset(
    ("textbox", "searchbox", "spinbutton", "checkbox", "switch", "radio", "combobox", "slider", "date")
)
"""What looks like nothing else, so that it can be counted without a name."""
_PRESSED = frozenset(("icon", *_FAMILIES[0]))
_WRITTEN = frozenset(("textbox", "searchbox", "combobox"))
_APART = 8.0
"""Pixels by which places must differ for people to say which comes first."""
_REACH = 320.0
"""How far off something may be and still be called beside another, in pixels."""


@dataclass(slots=True, frozen=True)
class Meaning:
    """how: which of the fields count.  name, role: as `Candidate` has them (name by `plain`).  group: (kind, name) around it.

    axis, number, of: the `number`-th (from 1) of `of` that are alike, from the top ("y") or the left ("x").
    side, anchor: the nearest of its role on that side of the only thing called `anchor`.  purpose: what it is for.
    """

    how: How
    name: str = ""
    role: str = ""
    group: tuple[str, str] = ("", "")
    axis: Literal["x", "y", ""] = ""
    number: int = 0
    of: int = 0
    side: Side | Literal[""] = ""
    anchor: str = ""
    purpose: str = ""


def resolve(meaning: Meaning, screen: Sequence[Candidate]) -> list[int]:
    """The places in `screen` of all that `meaning` fits."""
    match meaning.how:
        case "name":
            return _where(screen, name=meaning.name)
        case "role":
            return _where(screen, name=meaning.name, role=meaning.role)
        case "within":
            found = _where(screen, name=meaning.name, role=meaning.role)
            return [i for i in found if meaning.group in screen[i].groups]
        case "nth" | "nth_named":
            alike = _where(screen, name=meaning.name if meaning.how == "nth_named" else None, role=meaning.role)
            line = in_line(alike, screen)
            fits = line is not None and line[0] == meaning.axis and len(alike) == meaning.of
            return [line[1][meaning.number - 1]] if line is not None and fits else []
        case "beside":
            anchors = _where(screen, name=meaning.anchor)
            if len(anchors) != 1 or screen[anchors[0]].trouble or not meaning.side:
                return []
            return _nearest(meaning.side, anchors[0], _where(screen, role=meaning.role), screen)
        case "purpose":
            return [i for i, each in enumerate(screen) if purpose_of(each) == meaning.purpose]


def meanings_of(target: int, screen: Sequence[Candidate]) -> list[Meaning]:
    """Every meaning that fits `target` and nothing else."""
    return [meaning for meaning in _possible(target, screen) if resolve(meaning, screen) == [target]]


def _possible(target: int, screen: Sequence[Candidate]) -> list[Meaning]:
    it = screen[target]
    made = [Meaning("name", it.plain), Meaning("role", it.plain, it.role)]
    made += [Meaning("within", it.plain, it.role, group) for group in it.groups]
    for name in (it.plain, None) if it.role in _COUNTED else (it.plain,):
        alike = _where(screen, name=name, role=it.role)
        if (line := in_line(alike, screen)) is not None:
            how: How = "nth" if name is None else "nth_named"
            number = line[1].index(target) + 1
            made.append(Meaning(how, name or "", it.role, axis=line[0], number=number, of=len(alike)))
    if it.role not in _FAMILIES[2]:
        made += [
            Meaning("beside", "", it.role, side=side, anchor=each.plain)
            for i, each in enumerate(screen)
            if i != target and not each.trouble and each.kind == "text" and each.name
            for side in _sides(it.box, each.box)
        ]
    if purpose := purpose_of(it):
        made.append(Meaning("purpose", purpose=purpose))
    return made


def _where(screen: Sequence[Candidate], name: str | None = None, role: str | None = None) -> list[int]:
    """All that are called so and look like that role: nobody sees whether it is a link that is drawn as a button."""
    family = _FAMILY.get(role or "", role)
    return [
        i
        for i, each in enumerate(screen)
        if (name is None or each.plain == name) and (role is None or _FAMILY.get(each.role, each.role) == family)
    ]


def in_line(alike: list[int], screen: Sequence[Candidate]) -> tuple[Literal["x", "y"], list[int]] | None:
    """Two to MOST_ALIKE things in an order that nobody would doubt: a column from the top, or a row from the left."""
    if not 2 <= len(alike) <= MOST_ALIKE or any(screen[i].trouble for i in alike):
        return None
    for axis, along, across in (("y", 1, 0), ("x", 0, 1)):
        order = sorted(alike, key=lambda i: screen[i].centre[along])
        steps = [screen[b].centre[along] - screen[a].centre[along] for a, b in pairwise(order)]
        offs = [screen[i].centre[across] for i in order]
        if min(steps) >= _APART and max(offs) - min(offs) < _APART:
            return ("y" if axis == "y" else "x"), order
    return None


def _sides(it: Box, anchor: Box) -> list[Side]:
    """On which side of `anchor` `it` plainly is: the smaller of the two is at least half beside the other."""
    sides: list[Side] = []
    if _overlap(it[1], it[3], anchor[1], anchor[3]) >= 0.5:
        if 0 <= it[0] - anchor[2] <= _REACH:
            sides.append("right")
        if 0 <= anchor[0] - it[2] <= _REACH:
            sides.append("left")
    if _overlap(it[0], it[2], anchor[0], anchor[2]) >= 0.5:
        if 0 <= it[1] - anchor[3] <= _REACH:
            sides.append("below")
        if 0 <= anchor[1] - it[3] <= _REACH:
            sides.append("above")
    return sides


def _overlap(a: float, b: float, c: float, d: float) -> float:
    return (min(b, d) - max(a, c)) / max(1e-9, min(b - a, d - c))


def _nearest(side: Side, anchor: int, of_role: list[int], screen: Sequence[Candidate]) -> list[int]:
    """The nearest of `of_role` on that side, or all that are about as near."""
    at = screen[anchor].box
    gaps = {i: _gap(side, screen[i].box, at) for i in of_role if i != anchor and side in _sides(screen[i].box, at)}
    least = min(gaps.values(), default=0.0)
    return [i for i, gap in gaps.items() if gap < least + _APART]


def _gap(side: Side, it: Box, at: Box) -> float:
    return {"right": it[0] - at[2], "left": at[0] - it[2], "below": it[1] - at[3], "above": at[1] - it[3]}[side]


_PURPOSES: tuple[tuple[str, frozenset[str], str], ...] = (
    ("search", _WRITTEN, r"search\b.*"),
    ("email", _WRITTEN, r"(your )?e-?mail( address)?|enter email.*"),
    ("username", _WRITTEN, r"(your )?user ?name"),
    ("quantity", frozenset(("spinbutton",)), r"quantity"),
    ("close", _PRESSED, r"close|dismiss|×"),
    ("menu", _PRESSED, r"toggle (navigation|sidebar|menu)|(open )?menu"),
    ("notifications", _PRESSED, r"(show )?notifications"),
    ("cart", _PRESSED, r"cart( \(\d+\))?|shopping cart"),
    ("login", _PRESSED, r"log ?in|sign in"),
    ("register", _PRESSED, r"register|sign up|create (an )?account.*"),
    ("forgot", _PRESSED, r"(i )?(forgot|forget) (your )?password.*"),
    ("logout", _PRESSED, r"log ?out|sign out"),
    ("settings", _PRESSED, r"settings|preferences"),
    ("profile", _PRESSED, r"((my|your) )?profile"),
    ("help", _PRESSED, r"help|get help|support"),
    ("next", _PRESSED, r"next( page)?|›|»"),
    ("previous", _PRESSED, r"prev(ious)?( page)?|‹|«"),
    ("save", _PRESSED, r"save( changes)?"),
    ("cancel", _PRESSED, r"cancel"),
    ("send", _PRESSED, r"send( message)?|submit"),
    ("delete", _PRESSED, r"delete|remove"),
    ("add_to_cart", _PRESSED, r"add to cart"),
    ("dark", _PRESSED, r"enable dark mode|dark mode"),
)
PURPOSES = (*(name for name, _, _ in _PURPOSES), "password")


def purpose_of(it: Candidate) -> str:
    """What a thing is for, where its name or kind leaves no doubt; else ""."""
    if it.field == "password":
        return "password"
    name = plain(it.name)
    return next((purpose for purpose, roles, names in _PURPOSES if it.role in roles and re.fullmatch(names, name)), "")

"""A look at a page as text, in the three ways that agents are used to. Pure; all use the same ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Literal

from agentgym.envs.web.browser.elements import Element, Look

Style = Literal["axtree", "aria", "compact"]


def render(look: Look, style: Style = "axtree", *, boxes: bool = False, viewport_only: bool = False) -> str:
    """The page, one element a line.

    "axtree": BrowserGym's and WebArena's `[12] button 'Submit'`, indented by tabs.  "aria": Playwright's
    `- button "Submit" [ref=e12]`.  "compact": only what can be acted on and what is written, without indentation.
    boxes: with positions for all, not only for what has neither name nor value.
    """
    kept = [each for each in look.elements if not viewport_only or look.in_view(each)]
    lines = list(_WAYS[style](kept, boxes))
    if look.cut:
        lines.append(f"[... the page goes on after {len(look.elements)} elements ...]")
    return "\n".join(lines)


def _axtree(elements: list[Element], boxes: bool) -> Iterator[str]:
    for each in elements:
        line = "\t" * each.depth + f"[{each.ref}] {each.role} {_quoted(each.name)}"
        extras = [f"value={_quoted(each.value)}"] if each.value is not None else []
        yield ", ".join([line, *extras, *each.states, *_looks(each, boxes)])


def _aria(elements: list[Element], boxes: bool) -> Iterator[str]:
    for each in elements:
        indent = "  " * each.depth
        if each.role == "StaticText":
            yield f"{indent}- text: {each.name} [ref=e{each.ref}]"
            continue
        name = f" {json.dumps(each.name, ensure_ascii=False)}" if each.name else ""
        marks = "".join(f" [{mark}]" for mark in [*each.states, f"ref=e{each.ref}", *_looks(each, boxes)])
        yield f"{indent}- {each.role}{name}{marks}" + (f": {each.value}" if each.value else "")


def _compact(elements: list[Element], boxes: bool) -> Iterator[str]:
    for each in elements:
        if not each.active and not each.name and not each.colour:
            continue
        role = "" if each.role in ("StaticText", "paragraph", "generic", "LabelText") and each.name else f"{each.role} "
        value = f" = {_quoted(each.value)}" if each.value is not None else ""
        states = f" ({', '.join(found)})" if (found := [*each.states, *_looks(each, boxes)]) else ""
        yield f"[{each.ref}] {role}{each.name}{value}{states}"


def _looks(each: Element, boxes: bool) -> list[str]:
    """Colour and place of what has nothing else to be known by."""
    bare = bool(each.colour) or each.role in ("Canvas", "img") or (each.role == "generic" and not each.name)
    place = [f"box=({','.join(map(str, each.box))})"] if boxes or bare else []
    return [f"colour={each.colour}", *place] if each.colour else place


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


_WAYS: dict[Style, Callable[[list[Element], bool], Iterator[str]]] = {
    "axtree": _axtree,
    "aria": _aria,
    "compact": _compact,
}

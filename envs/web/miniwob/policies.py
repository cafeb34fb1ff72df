"""Scripted policies of `web/miniwob-v0`: doing nothing, acting at random. The oracle is in `oracle`, cheats are in `cheats`."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from agentgym.envs.web.reading import Row, page_of
from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

Call = tuple[str, dict[str, Any]]
_FIELDS = ("textbox", "searchbox", "spinbutton", "Date", "InputTime")
_WORDS = ("ok", "yes", "submit", "7", "cat")


def say(context: Context, *calls: Call) -> Action:
    """One assistant message with these calls."""
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(calls=tuple(made))


def noop() -> Scripted:
    """Waits until its turns are over."""
    return Scripted("noop", lambda context: say(context, ("noop", {"wait_ms": 100})))


def random_player() -> Scripted:
    """Acts on random elements of the page as it is now."""
    return Scripted("random", lambda context: say(context, _at_random(Random(context.seed), page_of(context))))


def _at_random(rng: Random, page: list[Row]) -> Call:
    if not page:
        return "mouse_click", {"x": rng.randrange(160), "y": rng.randrange(50, 210)}
    row = rng.choice(page)
    if row.role in _FIELDS and rng.random() < 0.8:
        return "fill", {"bid": row.ref, "value": rng.choice([*_WORDS, *(each.name for each in page if each.name)])[:50]}
    if row.role == "combobox" and row.options:
        return "select_option", {"bid": row.ref, "options": rng.choice(row.options)}
    if (draw := rng.random()) < 0.1:
        return "keyboard_press", {"key": "Enter"}
    return "hover" if draw < 0.2 else "click", {"bid": row.ref}

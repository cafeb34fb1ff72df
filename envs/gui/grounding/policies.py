"""Scripted policies of `gui/grounding-v0`: one that knows, one that says nothing, one that points anywhere. Cheats are in `cheats`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from agentgym.policy import Context, Scripted
from agentgym.types import Action, Text, ToolCall

Call = tuple[str, dict[str, Any]]
_SIZE = re.compile(r"This is a screenshot, (\d+) x (\d+) pixels\. Places on it are ([^\n]*)\.")

_PART = re.compile(r"This part, (\d+) x (\d+) pixels, is (\[[^\]]*\]) of the first picture")


def say(context: Context, *calls: Call, text: str = "") -> Action:
    """One assistant message with these calls."""
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(text, tuple(made))


def shown_size(context: Context) -> tuple[int, int]:
    """Of the first picture, as it was shown."""
    wide, high = _prompt(context)[:2]
    return int(wide), int(high)


def oracle() -> Scripted:
    """Looks at the surroundings if it may or must, then points at the middle of the right box."""
    return Scripted("oracle", lambda context: say(context, know(context)), privileged=True)


def noop() -> Scripted:
    """Says that it does not know."""
    return Scripted("noop", lambda context: Action("I do not know."))


def random_player() -> Scripted:
    """Points anywhere; where a region is wanted first, at all of it."""

    def play(context: Context) -> Action:
        rng, (wide, high) = Random(context.seed), _extent(context)
        if _only_zoom(context):
            return say(context, ("image_zoom_in_tool", {"bbox_2d": [0, 0, wide, high]}))
        return say(context, ("click", {"x": rng.uniform(0, wide), "y": rng.uniform(0, high)}))

    return Scripted("random", play)


def know(context: Context) -> Call:
    """What is right now; for privileged policies. Places are those of the first picture, in the convention that is asked for."""
    boxes = context.task.secret["boxes"]
    if not boxes:
        return (
            ("image_zoom_in_tool", {"bbox_2d": [0, 0, *_extent(context)]})
            if _only_zoom(context)
            else ("not_present", {})
        )
    left, top, right, bottom = gold(context)
    if "image_zoom_in_tool" in _names(context) and context.turn == 0:
        return "image_zoom_in_tool", {"bbox_2d": [left, top, right, bottom]}
    if (part := _part(context)) is not None:
        (x, y), (wide, high), (start_x, start_y, end_x, end_y) = (
            ((left + right) / 2, (top + bottom) / 2),
            part[0],
            part[1],
        )
        return "click", {"x": (x - start_x) * wide / (end_x - start_x), "y": (y - start_y) * high / (end_y - start_y)}
    return "click", {"x": (left + right) / 2, "y": (top + bottom) / 2}


def gold(context: Context) -> list[float]:
    """The first right box, as it would be written as an answer on the first picture."""
    (wide, high), whole = _extent(context), context.task.secret["boxes"][0]
    across, down = wide / float(_whole(context)[0]), high / float(_whole(context)[1])
    return [whole[0] * across, whole[1] * down, whole[2] * across, whole[3] * down]


def scripted(name: str, play: Callable[[Context], Action]) -> Callable[[], Scripted]:
    """A privileged policy that plays `play`."""
    return lambda: Scripted(name, play, privileged=True)


def _part(context: Context) -> tuple[tuple[float, float], list[float]] | None:
    """The part that was shown last, if answers are to be on it: the ends of its sides, and where on the first picture it is."""
    texts = [message.text for message in context.messages]
    found = [match for text in texts for match in _PART.findall(text)]
    if not found or not any("on the picture that was shown last" in text for text in texts):
        return None
    wide, high, box = found[-1]
    ends = _extent(context) if _prompt(context)[2][:6] in ("thousa", "shares") else (float(wide), float(high))
    return ends, json.loads(box)


def _names(context: Context) -> tuple[str, ...]:
    return context.observation.tools or tuple(each.name for each in context.tools)


def _only_zoom(context: Context) -> bool:
    return _names(context) == ("image_zoom_in_tool",)


def _whole(context: Context) -> tuple[int, int]:
    """The size of the screenshot that the boxes are of."""
    wide, high = context.task.payload["size"]
    return int(wide), int(high)


def _extent(context: Context) -> tuple[float, float]:
    """What its convention gives the right and lower edge of the first picture."""
    wide, high, said = _prompt(context)
    if said.startswith("thousandths"):
        return 1000.0, 1000.0
    return (1.0, 1.0) if said.startswith("shares") else (float(wide), float(high))


def _prompt(context: Context) -> tuple[str, str, str]:
    for message in context.messages:
        texts = (
            [part.text for part in message.content if isinstance(part, Text)]
            if isinstance(message.content, tuple)
            else []
        )
        for text in texts:
            if found := _SIZE.search(text):
                return found[1], found[2], found[3]
    return "1", "1", "pixels"


__all__ = ["gold", "know", "noop", "oracle", "random_player", "say", "scripted", "shown_size"]

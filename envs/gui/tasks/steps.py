"""Step: what the oracle would do next, how it is said to a device's tool, and whether an act is the same. Pure.

Mobile-R1's action-level reward: 1 if the point of a click lies in the box of what is meant, or a swipe begins there, and for
what is typed or pressed, if the argument is exactly the same. That a swipe must also go the same way is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agentgym.envs.gui.coordinates import Coordinates, from_pixels
from agentgym.envs.gui.tasks.acts import Act, Point
from agentgym.envs.gui.tasks.devices import Device

Box = tuple[float, float, float, float]
Kind = Literal["tap", "scroll", "type", "key", "back", "done", "wait"]
Way = Literal["up", "down", "left", "right"]
_WAYS: Mapping[str, tuple[int, int]] = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


@dataclass(slots=True, frozen=True)
class Step:
    """ref: the element to tap.  text: what is typed, the key, or the way in which lies what is scrolled to.
    why: in words.  boxes (left, top, width, height; of an element and of its labels) and at: where, in pixels of the
    screenshot, once that is known."""

    kind: Kind
    text: str = ""
    ref: int = 0
    why: str = ""
    boxes: tuple[Box, ...] = ()
    at: Point | None = None


def arguments(step: Step, device: Device, convention: Coordinates) -> dict[str, Any]:
    """The step as arguments of the device's tool."""
    mobile = device.tool == "mobile_use"
    wide, high = device.size

    def say(x: float, y: float) -> list[float]:
        return list(from_pixels(x, y, device.size, convention))

    match step.kind:
        case "tap":
            assert step.at is not None
            return {"action": "click" if mobile else "left_click", "coordinate": say(*step.at)}
        case "scroll" if mobile:
            right, down = _WAYS[step.text]
            start = say(wide * (0.5 + 0.25 * right), high * (0.5 + 0.25 * down))
            end = say(wide * (0.5 - 0.25 * right), high * (0.5 - 0.25 * down))
            return {"action": "swipe", "coordinate": start, "coordinate2": end}
        case "scroll":
            pixels = round(high / 2) * (-1 if step.text == "down" else 1)
            return {"action": "scroll", "coordinate": say(wide / 2, high / 2), "pixels": pixels}
        case "type":
            return {"action": "type", "text": step.text}
        case "key" if mobile:
            return {"action": "system_button", "button": step.text}
        case "key":
            return {"action": "key", "keys": step.text.lower().split("+")}
        case "back":
            return {"action": "system_button", "button": "Back"}
        case "done":
            return {"action": "terminate", "status": "success"}
        case "wait":
            return {"action": "wait", "time": 1}


def agrees(act: Act, step: Step) -> bool:
    """Whether `act` is what the step asks for."""
    match step.kind:
        case "tap":
            return act.kind == "tap" and (act.button, act.count) == ("left", 1) and _inside(act.at, step.boxes)
        case "scroll":
            return act.kind in ("swipe", "scroll") and _inside(act.at, step.boxes) and _way(act) == step.text
        case "type":
            return act.kind == "type" and act.text == step.text
        case "key":
            return act.kind == "key" and act.text.lower() == step.text.lower()
        case "back" | "done" | "wait":
            return act.kind == step.kind and act.text in ("", "success")


def _inside(at: Point | None, boxes: tuple[Box, ...]) -> bool:
    if at is None:
        return False
    return any(x <= at[0] <= x + width and y <= at[1] <= y + height for x, y, width, height in boxes)


def _way(act: Act) -> str:
    """Where what comes into sight was: below, if the finger went up."""
    if act.kind == "scroll":
        return "down" if act.amount > 0 else "up" if act.amount < 0 else ""
    assert act.at is not None and act.to is not None
    right, down = act.at[0] - act.to[0], act.at[1] - act.to[1]
    if abs(down) >= abs(right):
        return "down" if down > 0 else "up" if down < 0 else ""
    return "right" if right > 0 else "left"

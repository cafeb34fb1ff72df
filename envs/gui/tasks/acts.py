"""Act: one thing that the agent does to the screen, read from the arguments of `mobile_use` or `computer_use`. Pure.

Names and arguments are those of Qwen2.5-VL's two tools, which Mobile-R1 trains with, too. Points are in pixels of the screenshot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agentgym.envs.gui.coordinates import Coordinates, Size, to_pixels
from agentgym.errors import ToolError

Point = tuple[float, float]
Kind = Literal[
    "tap", "hold", "swipe", "scroll", "drag", "move", "type", "key", "back", "home", "wait", "done", "answer"
]
Button = Literal["left", "middle", "right"]
MAX_WAIT_S, MAX_TEXT = 10.0, 2_000
_KEYS = {
    "ctrl": "Control", "control": "Control", "shift": "Shift", "alt": "Alt", "meta": "Meta", "cmd": "Meta", "win": "Meta",
    "enter": "Enter", "return": "Enter", "tab": "Tab", "esc": "Escape", "escape": "Escape", "space": "Space",
    "backspace": "Backspace", "delete": "Delete", "del": "Delete", "insert": "Insert", "home": "Home", "end": "End",
    "pageup": "PageUp", "page_up": "PageUp", "pagedown": "PageDown", "page_down": "PageDown",
    **{way: f"Arrow{way.capitalize()}" for way in ("up", "down", "left", "right")},
    **{f"arrow{way}": f"Arrow{way.capitalize()}" for way in ("up", "down", "left", "right")},
    **{f"f{n}": f"F{n}" for n in range(1, 13)},
}  # fmt: skip


@dataclass(slots=True, frozen=True)
class Act:
    """at, to: where it begins and ends. text: what is typed, the key combination, the status, the answer. amount: of a
    scroll, in pixels down; of a wait, in seconds. count: of clicks."""

    kind: Kind
    at: Point | None = None
    to: Point | None = None
    text: str = ""
    amount: float = 0.0
    button: Button = "left"
    count: int = 1


@dataclass(slots=True, frozen=True)
class Reader:
    """Reads arguments for a screen of `size` (pixels of the screenshot) in one convention of coordinates."""

    size: Size
    convention: Coordinates = "pixel"

    def mobile(self, action: str, given: dict[str, Any]) -> Act:
        """Raises ToolError for what is missing, off the screen or too much."""
        match action:
            case "click" | "tap":
                return Act("tap", self._point(given, "coordinate"))
            case "long_press":
                return Act("hold", self._point(given, "coordinate"), amount=_seconds(given, 1.0))
            case "swipe":
                return Act("swipe", self._point(given, "coordinate"), self._point(given, "coordinate2"))
            case "system_button":
                button = str(_needed(given, "button"))
                return Act("key", text="Enter") if button == "Enter" else Act("back" if button == "Back" else "home")
        return _common(action, given)

    def computer(self, action: str, given: dict[str, Any], mouse: Point) -> Act:
        """`mouse`: where it is. Raises ToolError for what is missing, off the screen or too much."""
        match action:
            case "left_click" | "right_click" | "middle_click":
                button: Any = action.partition("_")[0]
                return Act("tap", self._point(given, "coordinate", mouse), button=button)
            case "double_click":
                return Act("tap", self._point(given, "coordinate", mouse), count=2)
            case "mouse_move":
                return Act("move", self._point(given, "coordinate"))
            case "left_click_drag":
                return Act("drag", mouse, self._point(given, "coordinate"))
            case "scroll":
                amount = -_finite(_needed(given, "pixels"), "pixels")  # theirs: positive is up
                return Act("scroll", self._point(given, "coordinate", mouse), amount=amount)
            case "key":
                return Act("key", text=combination(_needed(given, "keys")))
        return _common(action, given)

    def _point(self, given: dict[str, Any], name: str, otherwise: Point | None = None) -> Point:
        said = given.get(name)
        if said is None and otherwise is not None:
            return otherwise
        said = _needed(given, name)
        if len(said) != 2:
            raise ToolError(f"{name} needs two numbers, [x, y], and got {len(said)}")
        x, y = to_pixels(said[0], said[1], self.size, self.convention)
        if not (0 <= x <= self.size[0] and 0 <= y <= self.size[1]):  # NaN is not, either
            raise ToolError(
                f"{name} {_short(said)} is not on the screen, which is {self.size[0]} x {self.size[1]} pixels"
            )
        return min(x, self.size[0] - 0.01), min(y, self.size[1] - 0.01)


def combination(keys: Sequence[str]) -> str:
    """["ctrl", "a"] as "Control+a". Raises ToolError if there is none."""
    names = [part for key in keys for part in (key.split("+") if len(key) > 1 else [key])]
    if not names or not all(names) or len(names) > 5:
        raise ToolError('keys are names, such as ["enter"] or ["ctrl", "a"]')
    return "+".join(_KEYS.get(name.lower(), name) for name in names)


def _common(action: str, given: dict[str, Any]) -> Act:
    match action:
        case "type":
            text = str(_needed(given, "text"))
            if len(text) > MAX_TEXT:
                raise ToolError(f"that is {len(text)} characters; at most {MAX_TEXT} can be typed at once")
            return Act("type", text=text)
        case "wait":
            return Act("wait", amount=_seconds(given, 1.0))
        case "terminate":
            return Act("done", text=str(_needed(given, "status")))
        case "answer":
            return Act("answer", text=str(_needed(given, "text")))
    raise ToolError(f"there is no action {action!r}")


def _seconds(given: dict[str, Any], usual: float) -> float:
    seconds = _finite(usual if given.get("time") is None else given["time"], "time")
    if not 0 <= seconds <= MAX_WAIT_S:
        raise ToolError(f"time must be 0 to {MAX_WAIT_S:g} seconds")
    return seconds


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value) or abs(value) > 1e6:
        raise ToolError(f"{name} {value!r} is no usable number")
    return float(value)


def _needed(given: dict[str, Any], name: str) -> Any:
    if given.get(name) is None:
        raise ToolError(f"this action needs {name!r}")
    return given[name]


def _short(said: Sequence[float]) -> str:
    return "[" + ", ".join(f"{each:g}" for each in said) + "]"

"""Keys by the names that Playwright and BrowserGym use ("Enter", "Control+a", "ArrowDown"), as the protocol wants them."""

from __future__ import annotations

from typing import Any

from agentgym.errors import ToolError

_MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
_ALIASES = {
    "Ctrl": "Control",
    "ControlOrMeta": "Control",
    "Cmd": "Meta",
    "Command": "Meta",
    "Option": "Alt",
    "Esc": "Escape",
}
_CODES = (
    "Backspace 8 Tab 9 Enter 13 Shift 16 Control 17 Alt 18 Escape 27 Space 32 PageUp 33 PageDown 34 End 35 Home 36 "
    "ArrowLeft 37 ArrowUp 38 ArrowRight 39 ArrowDown 40 Insert 45 Delete 46 Meta 91 F1 112 F2 113 F3 114 F4 115 F5 116"
)
_WORDS = _CODES.split()
_NAMED = dict(zip(_WORDS[::2], map(int, _WORDS[1::2]), strict=True))
_TEXT = {"Enter": "\r", "Space": " ", "Tab": ""}
_EDITING = {"a": "selectAll", "c": "copy", "v": "paste", "x": "cut", "z": "undo"}


def strokes(combination: str) -> list[dict[str, Any]]:
    """The key events of one combination, modifiers down first and up last. Raises ToolError for an unknown key."""
    *held, key = _split(combination)
    mask, events, ups = 0, [], []
    for name in held:
        if name not in _MODIFIERS:
            raise ToolError(f"{name!r} in {combination!r} is no modifier: use Control, Shift, Alt or Meta")
        mask |= _MODIFIERS[name]
        events.append({"type": "rawKeyDown", "modifiers": mask, **_key(name)})
        ups.append({"type": "keyUp", "modifiers": mask & ~_MODIFIERS[name], **_key(name)})
    known = _key(key)
    text = "" if mask & ~_MODIFIERS["Shift"] else _TEXT.get(key, key if len(key) == 1 else "")
    down: dict[str, Any] = {"type": "keyDown" if text else "rawKeyDown", "modifiers": mask, **known}
    if text:
        down["text"] = text
    if mask == _MODIFIERS["Control"] and key.lower() in _EDITING:
        down["commands"] = [_EDITING[key.lower()]]
    return [*events, down, {"type": "keyUp", "modifiers": mask, **known}, *reversed(ups)]


def _split(combination: str) -> list[str]:
    if combination == "+":
        return ["+"]
    names = combination.removesuffix("++").split("+") + (["+"] if combination.endswith("++") else [])
    return [_ALIASES.get(name, name) for name in names]


def _key(name: str) -> dict[str, Any]:
    if name in _NAMED:
        return {"key": " " if name == "Space" else name, "code": name, "windowsVirtualKeyCode": _NAMED[name]}
    if len(name) == 1 and name.isprintable():
        upper = name.upper()
        code = f"Key{upper}" if upper.isalpha() and upper.isascii() else f"Digit{name}" if name in "0123456789" else ""
        return {"key": name, "code": code, "windowsVirtualKeyCode": ord(upper) if code else 0}
    raise ToolError(
        f"there is no key {name!r}: use a character, or a name such as Enter, Tab, Escape, ArrowDown, Backspace"
    )

"""What can be done to a page, as a person would: pointing, clicking, typing. Input events are trusted, as from a device.

Functions over a Tab; each raises ToolError with what is in the way. None waits for the effects: `Tab.settle` does.
Native pickers (dates, lists) can not be operated without a screen: their values are set, with the events that tell the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from agentgym.envs.web.browser.cdp import CallFailed, Json
from agentgym.envs.web.browser.keys import strokes
from agentgym.envs.web.browser.tab import Tab
from agentgym.errors import ToolError

Button = Literal["left", "middle", "right"]
Modifier = Literal["Alt", "Control", "ControlOrMeta", "Meta", "Shift"]
Point = tuple[float, float]
MAX_TEXT = 100_000
_MASKS: dict[Modifier, int] = {"Alt": 1, "Control": 2, "ControlOrMeta": 2, "Meta": 4, "Shift": 8}
_READ = (
    "async function() { for (const _ of [1, 2]) await Promise.all([...this.files].map((file) => file.arrayBuffer())) }"
)
"""Virtual time does not wait for files. Once they have been read here, what the page began to read before has come to it, too."""
_HELD = {"left": 1, "right": 2, "middle": 4}


async def aim(tab: Tab, ref: int, enabled: bool = True) -> Point:
    """Bring an element, which must be `enabled`, into view and say where to point to it."""
    x, y = await tab.ask_of(ref, "aim", enabled)
    while frame := tab.frames.of(ref):
        ref = frame.holder
        x, y = await tab.ask_of(ref, "through", x, y)
    return x, y


async def click_at(
    tab: Tab, at: Point, button: Button = "left", count: int = 1, modifiers: Sequence[Modifier] = ()
) -> None:
    """Move there, press and release, `count` times in a row."""
    held = sum({_MASKS[name] for name in modifiers})
    await tab.heard(move(tab, at))
    await tab.settle(10)  # what it looks like under the mouse may have to be fetched
    for n in range(1, count + 1):
        mouse(tab, "mousePressed", at, button, n, held)
        done = mouse(tab, "mouseReleased", at, button, n, held)
    await tab.heard(done)


async def hover_at(tab: Tab, at: Point) -> None:
    await tab.heard(move(tab, at))


async def drag(tab: Tab, start: Point, end: Point) -> None:
    """Press at `start`, move to `end` in a few steps, release."""
    await tab.heard(move(tab, start))
    await tab.settle(16)
    await tab.heard(mouse(tab, "mousePressed", start, "left", 1))
    await tab.settle(16)
    for share in (0.1, 0.5, 0.9, 1.0):
        at = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        await tab.heard(move(tab, at, "left"))
        await tab.settle(16)
    await tab.heard(mouse(tab, "mouseReleased", end, "left", 1))


async def scroll(tab: Tab, dx: float, dy: float) -> None:
    """Scroll what is under the mouse, or in the middle of the page before the mouse was used."""
    await tab.ask("scroll", *tab.mouse, dx, dy)


async def fill(tab: Tab, ref: int, text: str, typed: bool = False) -> None:
    """Replace what is in a field. typed: key by key at the end, so that the page can suggest."""
    if len(text) > MAX_TEXT:
        raise ToolError(f"that is {len(text)} characters; a field takes at most {MAX_TEXT} at once")
    if await tab.ask_of(ref, "edit") == "native":
        await tab.ask_of(ref, "put", text)
        return
    head, tail = (text[:-1], text[-1:]) if typed else (text, "")
    if head:
        await tab.call("Input.insertText", text=head)
    else:
        await press(tab, "Backspace")
    if tail:
        await press(tab, tail)


async def give_files(tab: Tab, ref: int, paths: Sequence[Path]) -> None:
    """Choose `paths` in a field for files, as if picked from a dialog."""
    field = await tab.handle(ref, "picker", len(paths))
    await tab.call("DOM.setFileInputFiles", files=list(map(str, paths)), objectId=field)
    with suppress(CallFailed):  # the page went elsewhere at once
        await tab.call("Runtime.callFunctionOn", functionDeclaration=_READ, objectId=field, awaitPromise=True)


async def press(tab: Tab, combination: str) -> None:
    """One key, or a combination such as Control+a."""
    for event in strokes(combination):
        done = tab.send("Input.dispatchKeyEvent", **event)
    await tab.heard(done)


async def type_text(tab: Tab, text: str) -> None:
    """Key by key into whatever has the focus."""
    if len(text) > 2_000:
        raise ToolError(f"that is {len(text)} keys; at most 2000 at once: use fill")
    for character in text:
        if character.isascii() and character.isprintable():
            await press(tab, character)
        elif character == "\n":
            await press(tab, "Enter")
        else:
            await tab.call("Input.insertText", text=character)


def move(tab: Tab, at: Point, held: Button | None = None) -> asyncio.Future[Json]:
    return mouse(tab, "mouseMoved", at, held, 0)


def mouse(
    tab: Tab, kind: str, at: Point, button: Button | None, count: int, modifiers: int = 0
) -> asyncio.Future[Json]:
    x, y = tab.mouse = at
    event: Json = {
        "type": kind,
        "x": x,
        "y": y,
        "clickCount": count,
        "modifiers": modifiers,
        "button": button or "none",
    }
    if kind != "mouseReleased" and button:
        event["buttons"] = _HELD[button]
    return tab.send("Input.dispatchMouseEvent", **event)

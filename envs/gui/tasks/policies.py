"""Scripted policies of `gui/tasks-v0`: the oracle, doing nothing, acting at random. Cheats are in `cheats`."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from agentgym.envs.gui.coordinates import Coordinates, from_pixels
from agentgym.envs.gui.tasks.devices import DEVICES, Device
from agentgym.envs.gui.tasks.form import write
from agentgym.envs.gui.tasks.steps import Step, arguments
from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

_KEYS = ("enter", "tab", "backspace", "escape", "a")


def say(context: Context, given: dict[str, Any], thinking: str = "", tool: str = "") -> Action:
    """One message with a call of the device's tool."""
    name = tool or device_of(context).tool
    call = ToolCall(f"call_{context.turn}", name, json.dumps(given))
    return Action(write(thinking or "Let me see.", given.get("action", "")), (call,))


def device_of(context: Context) -> Device:
    return DEVICES[context.task.payload["device"]]


def convention_of(context: Context) -> Coordinates:
    """What the first message says of coordinates."""
    said = context.messages[0].text
    return "thousand" if "thousandths" in said else "unit" if "shares of" in said else "pixel"


def oracle() -> Scripted:
    """Does what the environment reveals to be next, by coordinates."""
    return Scripted("oracle", follow, privileged=True)


def noop() -> Scripted:
    """Waits until its turns are over."""
    return Scripted("noop", lambda context: say(context, {"action": "wait", "time": 0.1}))


def random_player() -> Scripted:
    """Taps, scrolls, types words of the goal and presses keys at random."""
    return Scripted("random", _at_random)


def follow(context: Context) -> Action:
    """The next step of the oracle; for privileged policies."""
    step: Step = context.revealed
    given = arguments(step, device_of(context), convention_of(context))
    return say(context, given, f"Next: {step.why or step.kind}.")


def _at_random(context: Context) -> Action:
    rng, device = Random(context.seed), device_of(context)
    mobile = device.tool == "mobile_use"

    def place() -> list[float]:
        x, y = rng.uniform(0, device.size[0] - 1), rng.uniform(0, device.size[1] - 1)
        return list(from_pixels(x, y, device.size, convention_of(context)))

    draw = rng.random()
    if draw < 0.6:
        return say(context, {"action": "click" if mobile else "left_click", "coordinate": place()})
    if draw < 0.75:
        text = rng.choice(context.messages[0].text.partition("\n")[0].split())
        return say(context, {"action": "type", "text": text.strip('“”".,')})
    if draw < 0.9 and mobile:
        return say(context, {"action": "swipe", "coordinate": place(), "coordinate2": place()})
    if draw < 0.9:
        return say(context, {"action": "scroll", "coordinate": place(), "pixels": rng.choice((-300, 300))})
    if draw < 0.98 and mobile:
        return say(context, {"action": "system_button", "button": rng.choice(("Back", "Home", "Enter"))})
    if draw < 0.98:
        return say(context, {"action": "key", "keys": [rng.choice(_KEYS)]})
    return say(context, {"action": "terminate", "status": "success"})


def scripted(name: str, play: Callable[[Context], Action | None]) -> Callable[[], Scripted]:
    """A privileged policy that plays `play`, and claims success once that gives None."""

    def act(context: Context) -> Action:
        return play(context) or say(context, {"action": "terminate", "status": "success"}, "All is done.")

    return lambda: Scripted(name, act, privileged=True)

"""The oracle's next step, with its place on the screenshot: what the environment reveals to privileged policies. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgym.envs.gui.tasks.acts import Act, Reader
from agentgym.envs.gui.tasks.app import App, Stuck
from agentgym.envs.gui.tasks.devices import Device
from agentgym.envs.gui.tasks.steps import Step, arguments
from agentgym.envs.web.browser import hands
from agentgym.envs.web.browser.elements import Element, Look
from agentgym.envs.web.browser.tab import Tab
from agentgym.errors import ToolError


async def next_step(app: App, look: Look, path: str, device: Device, tab: Tab) -> Step:
    """What to do on the page at `path`, which `tab` shows and `look` describes; waiting, where the oracle knows nothing."""
    try:
        step = app.next_step(look, path, device)
    except Stuck as stuck:
        return Step("wait", why=str(stuck))
    screen = [(0, 0, device.width, device.height)]
    if step.kind == "scroll":
        return _placed(step, device, screen)
    if step.kind != "tap":
        return step
    element = next(each for each in look.elements if each.ref == step.ref)
    if way := _beyond(element, device.width, device.height):
        return _placed(Step("scroll", way, why=f"look further {way}"), device, screen)
    try:
        at = await hands.aim(tab, step.ref)
        return _placed(step, device, await tab.ask("places", step.ref), at)
    except ToolError as error:
        return Step("wait", why=str(error))


def act_of(step: Step, device: Device) -> Act:
    """The step as it is read when it is said to the device's tool."""
    given, reader = arguments(step, device, "pixel"), Reader(device.size)
    if device.tool == "mobile_use":
        return reader.mobile(given["action"], given)
    return reader.computer(given["action"], given, (0, 0))


def _placed(
    step: Step, device: Device, boxes: Sequence[Sequence[float]], at: tuple[float, float] | None = None
) -> Step:
    """The step with its boxes and its point, given in CSS pixels, in pixels of the screenshot."""
    scale = device.scale
    grown = tuple((x * scale, y * scale, width * scale, height * scale) for x, y, width, height in boxes)
    return replace(step, boxes=grown, at=at and (at[0] * scale, at[1] * scale))


def _beyond(element: Element, wide: int, high: int) -> str:
    """Where one must scroll to see the whole element (or its beginning, if it is larger than the screen); "" if it is in view."""
    left, top, width, height = element.box
    if top < 0 or (top + height > high and height < high) or top >= high:
        return "up" if top < 0 else "down"
    if left < 0 or (left + width > wide and width < wide) or left >= wide:
        return "left" if left < 0 else "right"
    return ""

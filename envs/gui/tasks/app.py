"""App: the application of one episode: its pages, its state, and what the oracle would do in it. Made by `host`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from agentgym.envs.gui.tasks.devices import Device
from agentgym.envs.gui.tasks.steps import Step
from agentgym.envs.web.browser.elements import Element, Look
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Probe, Tab


class Stuck(Exception):
    """The page is none that the oracle knows a way on from."""


class App(ABC):
    """Attributes: `origin`, where it is served; `start`, the path where it begins and where a home button leads."""

    origin: str
    start: str = "/"

    def profile(self, device: Device) -> Profile:
        """The session that the app needs."""
        return Profile((self.origin,), device.width, device.height, device.scale)

    async def begin(self, tab: Tab, settle_ms: int) -> Probe | None:
        """Open the app; what it returns is asked after every action, and told to `done`."""
        await tab.open(f"{self.origin}{self.start}", settle_ms)
        return None

    def parent(self, path: str) -> str | None:
        """Where a back button leads from `path`; None: to the page before."""
        return None

    def done(self, said: Any) -> str | None:
        """Why the episode is over; None while it goes on."""
        return None

    @abstractmethod
    async def facts(self) -> dict[str, str]:
        """What the verifier has to know, as texts by name."""

    @abstractmethod
    def next_step(self, look: Look, path: str, device: Device) -> Step:
        """What the oracle would do now, from this page alone. Raises Stuck."""

    async def close(self) -> None:  # noqa: B027  some have nothing of their own to end
        """End it. Idempotent."""


def find(look: Look, role: str, name: str, start: bool = False) -> Element:
    """The element of that role and name (or whose name starts so). Raises Stuck if there is none."""
    for each in look.elements:
        if each.role == role and (each.name == name or (start and each.name.startswith(name))):
            return each
    raise Stuck(f"there is no {role} {name!r}")


def tap(element: Element) -> Step:
    said = f"{element.role} {element.name!r}" if element.name else element.role
    return Step("tap", ref=element.ref, why=f"tap the {said}")


def fill(field: Element, text: str) -> Step:
    """On the way to `text` in an empty field. Raises Stuck if something else is in it."""
    if "focused" not in field.states:
        return tap(field)
    if field.value:
        raise Stuck(f"{field.name!r} holds {field.value!r} already")
    return Step("type", text, why=f"type {text!r}")

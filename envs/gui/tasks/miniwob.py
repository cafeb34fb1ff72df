"""PageApp: one page of MiniWoB++, as `web/miniwob-v0` begins it and keeps its verdict. Pages whose oracle needs no memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentgym.envs.gui.tasks.app import App, Stuck, fill, tap
from agentgym.envs.gui.tasks.devices import Device
from agentgym.envs.gui.tasks.steps import Step
from agentgym.envs.web.browser.elements import Element, Look
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.render import render
from agentgym.envs.web.browser.tab import Probe, Tab
from agentgym.envs.web.miniwob.page import STYLE, site_of, start
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.envs.web.miniwob.solvers.scene import Scene
from agentgym.envs.web.miniwob.solvers.scene import Stuck as Unsolved
from agentgym.envs.web.reading import rows_of

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_NAMES = (
    "click-test click-test-2 click-test-transfer click-button click-link click-dialog click-dialog-2 click-option click-checkboxes "
    "click-checkboxes-large click-checkboxes-soft click-tab focus-text focus-text-2 enter-text enter-text-2 enter-password "
    "login-user read-table simple-arithmetic simple-algebra find-word click-color click-shape email-inbox-delete"
)
PAGES = tuple(_NAMES.split())
"""Of those with a solver: where pointing, typing and scrolling suffice, and the page as it is says what comes next."""
LIMIT_MS = 1_000_000


class PageApp(App):
    """The episode ends with the page's verdict."""

    def __init__(self, origin: str, payload: dict[str, Any]) -> None:
        self.origin, self._payload = origin, payload
        self.start = f"/miniwob/{payload['page']}.html"
        self.goal = ""
        self._verdict: dict[str, Any] | None = None

    @classmethod
    async def host(cls, payload: dict[str, Any], runtime: Runtime) -> PageApp:
        return cls((await site_of(runtime)).origin, payload)

    def profile(self, device: Device) -> Profile:
        size = (device.width, device.height, device.scale)
        return Profile((self.origin,), *size, style=STYLE, stateless=True)

    async def begin(self, tab: Tab, settle_ms: int) -> Probe:
        place = f"{self.origin}{self.start}"
        probe, self.goal = await start(tab, place, self._payload["seed"], self._payload["mode"], LIMIT_MS, settle_ms)
        return probe

    def done(self, said: Any) -> str | None:
        self._verdict = said["verdict"]
        return None if self._verdict is None else "done"

    async def facts(self) -> dict[str, str]:
        return {"verdict": json.dumps(self._verdict)}

    def next_step(self, look: Look, path: str, device: Device) -> Step:
        rows = rows_of(render(look, boxes=True))
        try:
            made = SOLVERS[self._payload["page"]](Scene(self.goal, rows, rows, []))
        except (Unsolved, StopIteration, LookupError, ValueError) as error:
            raise Stuck(str(error)) from None
        name, given = made[0] if isinstance(made, list) else made
        if name not in ("click", "fill"):
            raise Stuck(f"{name} is nothing that a hand does here")
        element = _element(look, given["bid"])
        return tap(element) if name == "click" else fill(element, given["value"])


def _element(look: Look, ref: int) -> Element:
    return next(each for each in look.elements if each.ref == ref)

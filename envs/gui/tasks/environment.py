"""GuiTasksEnvironment: an episode in an application that is only shown. The agent sees screenshots and acts by coordinates.

There is no address bar, no script, no element's id: what can be done is what a hand can do on that device.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from agentgym.envs.gui.coordinates import SAID
from agentgym.envs.gui.tasks.acts import Act, Reader
from agentgym.envs.gui.tasks.app import App
from agentgym.envs.gui.tasks.config import GuiTasksConfig
from agentgym.envs.gui.tasks.devices import DEVICES, Device
from agentgym.envs.gui.tasks.form import called
from agentgym.envs.gui.tasks.miniwob import PageApp
from agentgym.envs.gui.tasks.next_step import act_of, next_step
from agentgym.envs.gui.tasks.settings.app import SettingsApp
from agentgym.envs.gui.tasks.shop import ShopApp
from agentgym.envs.gui.tasks.steps import Step, agrees
from agentgym.envs.web.browser import hands
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.calls import read_call
from agentgym.envs.web.page_environment import PageEnvironment
from agentgym.errors import SandboxError, TaskError, ToolError
from agentgym.tools import tool
from agentgym.types import Blob, Content, Reply, Text

Pair = Annotated[list[float] | None, Field(description="[x, y] on the screenshot.")]
Seconds = Annotated[float | None, Field(description="Seconds to wait, or to press long.")]
Status = Annotated[Literal["success", "failure"] | None, Field(description="Of terminate: whether the task is done.")]
MobileAction = Literal["click", "tap", "long_press", "swipe", "type", "system_button", "wait", "terminate", "answer"]
ComputerAction = Literal[
    "key",
    "type",
    "mouse_move",
    "left_click",
    "left_click_drag",
    "right_click",
    "middle_click",
    "double_click",
    "scroll",
    "wait",
    "terminate",
    "answer",
]
STEPPED, DONE, GIVEN_UP, ANSWERED = "stepped", "terminated", "given_up", "answered"
_FIELDS = ("textbox", "searchbox", "spinbutton", "combobox", "Date", "InputTime", "DateTime", "ColorWell")


class GuiTasksEnvironment(PageEnvironment[GuiTasksConfig]):
    """A task's payload: "app", "device", and what the app needs; "step" (of the stage "step"): how much is done already."""

    app: App | None = None
    agreed: float = 0.0
    _gold: Step | None = None

    # ---- the episode ------------------------------------------------------------------------------------------------

    async def profile(self) -> Profile:
        await self._leave()
        self._gold, self.agreed, payload = None, 0.0, self.task.payload
        try:
            self.device: Device = DEVICES[payload["device"]]
            self.app = await self._host(payload["app"], payload)
        except (KeyError, TypeError) as error:
            raise TaskError(f"task {self.task.id}: its payload is broken: {error!r}") from None
        self.allow(self.device.tool)
        return self._app.profile(self.device)

    async def begin(self, tab: Tab) -> str:
        self.probe = await self._app.begin(tab, self.config.settle_ms)
        if notes := self._session.take_notes():
            raise SandboxError(f"the application did not start: {'; '.join(notes)}")
        done = await self._rehearse(self.task.payload.get("step"))
        return self._introduction(done)

    def watch(self) -> None:
        if (reason := self._app.done(self.said)) is not None:
            self.end(reason)

    async def on_text(self, text: str) -> str:
        """A message may hold its call, as `<tool_call>` or as `click`-like Python: mobile_use(action='wait')."""
        calls = called(text)
        call = calls[0] if calls and len(calls) == 1 else None if calls else read_call(text, self.toolbox)
        if call is None:
            said = f"No action was understood: call {self.device.tool} once, with an action."
        elif call.name != self.device.tool:
            said = f"there is no tool {call.name[:50]!r} here: call {self.device.tool}"
        else:
            reply = await getattr(self, call.name)(**self.toolbox[call.name].parse(call.arguments))
            return str(reply.content)
        raise ToolError(said)

    async def on_turn(self) -> Content | None:
        if self.config.stage == "step" and self.ended is None:
            self.end(STEPPED)
        return await super().on_turn()

    async def state(self) -> Any:
        return [await super().state(), await self._app.facts()]

    async def artefacts(self) -> dict[str, str]:
        status = {"app": self.task.payload["app"], "stage": self.config.stage, "agreed": json.dumps(self.agreed)}
        return {**await self._app.facts(), **status, "answer": json.dumps(self.answer)}

    async def on_close(self) -> None:
        await super().on_close()
        await self._leave()

    async def reveal(self) -> Step:
        """What the oracle would do now; waiting, where it knows nothing."""
        return self._gold or await self._next()

    async def _next(self) -> Step:
        return await next_step(self._app, self.look, self._path, self.device, self._session.tab)

    async def _rehearse(self, steps: int | None) -> list[str]:
        """Do the oracle's first `steps`, and keep the one after them as what is right; what was done, in words."""
        if (steps is None) != (self.config.stage == "task"):
            raise TaskError(
                f"task {self.task.id} is of the other stage: configure stage={'step' if steps else 'task'!r}"
            )
        if steps is None:
            return []
        done = []
        await self._look()
        for _ in range(steps):
            step = await self._next()
            await self._perform(act_of(step, self.device))
            done.append(step.why)
        if self.ended is not None:
            raise TaskError(f"task {self.task.id} ends before its step {steps}")
        self._gold = await self._next()
        return done

    # ---- tools ------------------------------------------------------------------------------------------------------

    @tool
    async def mobile_use(
        self,
        action: MobileAction,
        coordinate: Pair = None,
        coordinate2: Pair = None,
        text: str | None = None,
        time: Seconds = None,
        button: Literal["Back", "Home", "Menu", "Enter"] | None = None,
        status: Status = None,
    ) -> Reply:
        """Do one thing on the phone, and see the screen as it is then.

        Args:
            action: click (or tap) and long_press at coordinate; swipe from coordinate to coordinate2; type text where the
                cursor is; system_button; wait; terminate when the task is done or can not be done; answer with text.
            coordinate2: Where a swipe ends.
            text: What is typed or answered.
            button: Of system_button.
        """
        given = {"coordinate": coordinate, "coordinate2": coordinate2, "text": text, "time": time, "button": button}
        return await self._do(self._reader.mobile(action, {**given, "status": status}))

    @tool
    async def computer_use(
        self,
        action: ComputerAction,
        coordinate: Pair = None,
        text: str | None = None,
        keys: list[str] | None = None,
        pixels: float | None = None,
        time: Seconds = None,
        status: Status = None,
    ) -> Reply:
        """Do one thing with the mouse or the keys, and see the screen as it is then.

        Args:
            action: Clicks, mouse_move and scroll at coordinate; left_click_drag from where the mouse is to coordinate; key
                presses keys together; type types text; wait; terminate when the task is done or can not be done; answer with text.
            text: What is typed or answered.
            keys: Names of keys, such as ["enter"] or ["ctrl", "a"].
            pixels: Of scroll: how far up; down if negative.
        """
        given = {"coordinate": coordinate, "text": text, "keys": keys, "pixels": pixels, "time": time, "status": status}
        scale = self.device.scale
        mouse = tuple(each * scale for each in self._session.tab.mouse)
        return await self._do(self._reader.computer(action, given, (mouse[0], mouse[1])))

    # ---- inside -----------------------------------------------------------------------------------------------------

    async def _do(self, act: Act) -> Reply:
        """Judge the act, if this is one of a trajectory; else do it."""
        if self.config.stage == "step":
            assert self._gold is not None
            self.agreed = float(agrees(act, self._gold))
            self.end(STEPPED)
            return Reply("Noted.")
        return await self._perform(act)

    async def _perform(self, act: Act) -> Reply:
        match act.kind:
            case "done":
                self.end(DONE if act.text == "success" else GIVEN_UP, answer=act.text)
                return Reply("Ended.")
            case "answer":
                self.end(ANSWERED, answer=act.text)
                return Reply("Answered.")
            case "wait":
                return await self.act(_nothing, "Waited.", wait_ms=round(act.amount * 1000))
            case "type" if self.device.tool == "mobile_use" and not self._typing:
                raise ToolError("no field has the focus: click one first")
        return await self.act(lambda tab: self._move(tab, act), "Done.")

    async def _move(self, tab: Tab, act: Act) -> None:
        """What takes hands. Points are of the screenshot, and the page's are smaller by the screen's scale."""
        at, to = (None if p is None else (p[0] / self.device.scale, p[1] / self.device.scale) for p in (act.at, act.to))
        match act.kind:
            case "tap" if at:
                await hands.click_at(tab, at, act.button, act.count)
            case "hold" if at:
                await _hold(tab, at, act.amount)
            case "move" if at:
                await hands.hover_at(tab, at)
            case "swipe" if at and to:
                await hands.hover_at(tab, at)
                await hands.scroll(tab, at[0] - to[0], at[1] - to[1])
            case "scroll" if at:
                await hands.hover_at(tab, at)
                await hands.scroll(tab, 0, act.amount / self.device.scale)
            case "drag" if at and to:
                await hands.drag(tab, at, to)
            case "type":
                await hands.type_text(tab, act.text)
            case "key":
                await hands.press(tab, act.text)
            case "back":
                await self._back(tab)
            case "home":
                await tab.open(f"{self._app.origin}{self._app.start}", self.config.settle_ms)

    async def _back(self, tab: Tab) -> None:
        parent = self._app.parent(self._path)
        if parent is not None:
            await tab.open(f"{self._app.origin}{parent}", self.config.settle_ms)
        elif not await tab.history(-1):
            raise ToolError("there is no page to go back to")

    @property
    def _typing(self) -> bool:
        return any("focused" in each.states and each.role in _FIELDS for each in self.look.elements)

    @property
    def _path(self) -> str:
        return urlsplit(self.look.url).path

    @property
    def _app(self) -> App:
        if self.app is None:
            raise SandboxError("the application is closed")
        return self.app

    @property
    def _reader(self) -> Reader:
        return Reader(self.device.size, self.config.coordinates)

    async def _host(self, name: str, payload: dict[str, Any]) -> App:
        match name:
            case "settings":
                return await SettingsApp.host(payload, self.task.secret)
            case "shop":
                return await ShopApp.host(self.task.secret, self.runtime)
            case "miniwob":
                return await PageApp.host(payload, self.runtime)
        raise KeyError(name)

    async def _leave(self) -> None:
        app, self.app = self.app, None
        if app is not None:
            await app.close()

    async def _page(self) -> Content:
        """Notes on what happened beside the page, and the screenshot."""
        notes = [f"Note: {note}".replace(self._app.origin, "") for note in self._session.take_notes()]
        self._acted = False
        picture = Blob("image/png", await self._session.tab.screenshot())
        return (*((Text("\n".join(notes) + "\n"),) if notes else ()), picture)

    def _introduction(self, done: list[str]) -> str:
        wide, high = self.device.size
        what = "a phone" if self.device.tool == "mobile_use" else "a computer"
        past = "".join(f"\n{n}. {each}" for n, each in enumerate(done, 1))
        return (
            f"{self._goal}\n\nYou operate {what} by what its screen shows. The screenshot is {wide} x {high} pixels; coordinates are "
            f"{SAID[self.config.coordinates]}. Answer with <thinking>what you think</thinking> <action>what you do, in words</action> "
            f"and one call of {self.device.tool}." + (f"\n\nDone so far:{past}" if done else "")
        )

    @property
    def _goal(self) -> str:
        return self._app.goal if isinstance(self._app, PageApp) else str(self.task.payload["goal"])


async def _hold(tab: Tab, at: tuple[float, float], seconds: float) -> None:
    await tab.heard(hands.move(tab, at))
    await tab.settle(16)
    await tab.heard(hands.mouse(tab, "mousePressed", at, "left", 1))
    await tab.settle(max(16, round(seconds * 1000)))
    await tab.heard(hands.mouse(tab, "mouseReleased", at, "left", 1))


async def _nothing(tab: Tab) -> None:
    return None

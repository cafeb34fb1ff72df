"""One page in one browser: loading, asking, input, time. What clicking or filling means is for `hands`.

Time is virtual: it stands still but for `settle`, which lets a fixed amount of it pass, however long that takes. So
what a page does by timers depends on the actions alone, and waiting for an animation costs nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from agentgym.envs.web.browser.cdp import CallFailed, Json, Late, Pipe
from agentgym.envs.web.browser.elements import Look
from agentgym.envs.web.browser.frames import Frames
from agentgym.envs.web.browser.outfit import WORLD, outfit
from agentgym.envs.web.browser.profile import EPOCH, Profile
from agentgym.errors import SandboxError, ToolError

ANSWER_S = 20.0
"""How long a page may take to answer anything, wall time."""
LOAD_S = 30.0
SETTLE_MS = 500
"""Virtual milliseconds that pass after an action: longer than the usual animation."""
_AHEAD_MS = 20_000_000
"""How far a page's clock is set ahead of real time at first. All of a renderer goes by the virtual clock, its compositor too: a page whose
clock is behind is drawn, and hears of the mouse, only when the clock has come as far as the frames, which come by real time."""


class PageLost(ToolError):
    """The page crashed, hangs, or was closed: nothing can be done with it any more."""


@dataclass(slots=True, frozen=True)
class Probe:
    """A function in a page's own world that was put there at its start; no script of the page can reach or replace it."""

    object_id: str
    document: str


class Tab:
    """One page target. Raises PageLost once it is gone, SandboxError once the browser is."""

    answer_s, load_s = ANSWER_S, LOAD_S

    def __init__(self, pipe: Pipe, target: str, session: str, profile: Profile, note: Callable[[str], None]) -> None:
        self.target, self.profile = target, profile
        self.document = ""
        self.lost = ""
        self.mouse = (profile.width / 2, profile.height / 2)
        self._pipe, self._session, self._note = pipe, session, note
        self.frames = Frames(self)
        self._world: int | None = None
        self._loading = False
        self._changed = asyncio.Event()
        self._expired = False
        self._elapsed = 0
        self._opened = monotonic()
        pipe.listen(session, self._hear)

    # ---- asking -------------------------------------------------------------------------------------------------

    def send(self, method: str, limit_s: float | None = None, **params: object) -> asyncio.Future[Json]:
        """Put a call on its way. See `Pipe.send`."""
        return self._pipe.send(method, params, self._session, limit_s or self.answer_s)

    async def call(self, method: str, limit_s: float | None = None, **params: object) -> Json:
        """One call. Raises PageLost, CallFailed."""
        if self.lost:
            raise self._loss()
        return await self.heard(self.send(method, limit_s, **params))

    async def ask(self, function: str, *arguments: object) -> Any:
        """The answer of one of `page.js`'s functions. Raises ToolError with what it objected to."""
        expression = _calling(function, arguments)
        for again in (True, False):
            try:
                return await self.evaluate(expression, await self._in_world())
            except CallFailed:  # the document changed in between
                self._world = None
                if not again:
                    raise
        raise AssertionError

    async def ask_of(self, ref: int, function: str, *arguments: object) -> Any:
        """As `ask`, of element `ref`, wherever it is: `function(ref, *arguments)`."""
        frame = self.frames.of(ref)
        if frame is None:
            return await self.ask(function, ref, *arguments)
        try:
            return await self.evaluate(_calling(function, (ref, *arguments)), frame.world)
        except CallFailed:
            raise ToolError(f"element [{ref}] is gone: the frame around it has changed") from None

    async def evaluate(self, expression: str, world: int) -> Any:
        """What `expression` is in `world`. Raises CallFailed if that is no more, ToolError with what was thrown."""
        return _value(await self.call("Runtime.evaluate", **_asking(expression, world)))

    async def world_in(self, frame_id: str) -> int:
        """Our world in a frame, the same one until its document changes. Raises CallFailed if there is no such frame."""
        made = await self.call("Page.createIsolatedWorld", frameId=frame_id, worldName=WORLD)
        return int(made["executionContextId"])

    async def handle(self, ref: int, function: str, *arguments: object) -> str:
        """A handle of what one of `page.js`'s functions gives for element `ref`. Raises ToolError with what it objected to."""
        frame = self.frames.of(ref)
        asking = _asking(_calling(function, (ref, *arguments)), frame.world if frame else await self._in_world())
        said = await self.call("Runtime.evaluate", **(asking | {"returnByValue": False}))
        if "exceptionDetails" in said:
            raise ToolError(_complaint(said))
        return str(said["result"]["objectId"])

    async def look(self, most: int, probe: Probe | None = None) -> tuple[Look, Any]:
        """What the page shows, in at most `most` rows, and what `probe` says at that moment (None without one)."""
        world = await self._in_world()
        page = self.send("Runtime.evaluate", **_asking(f"agentgym.look({most})", world))
        said = self.send("Runtime.callFunctionOn", **_probing(probe)) if probe else None
        try:
            shown, heard = _value(await self.heard(page)), (_value(await self.heard(said)) if said else None)
        except CallFailed:
            if probe is not None:
                raise
            self._world = None
            shown, heard = await self.ask("look", most), None
        raw = json.loads(shown)
        await self.frames.show(raw, most)
        return Look.read(raw), heard

    async def plant(self, expression: str) -> Probe:
        """Run `expression`, which gives a function, in the page's own world, and keep that function as a probe."""
        said = await self.call("Runtime.evaluate", expression=expression)
        if "exceptionDetails" in said:
            raise SandboxError(f"the page refused a probe: {_complaint(said)}")
        return Probe(said["result"]["objectId"], self.document)

    async def probe(self, probe: Probe) -> Any:
        """What `probe` says now."""
        return _value(await self.call("Runtime.callFunctionOn", **_probing(probe)))

    async def screenshot(
        self, marks: Sequence[tuple[int, int, int, int, int]] = (), quality: int | None = None
    ) -> bytes:
        """The viewport as PNG (or JPEG of that quality), with `marks` (ref, x, y, width, height) drawn on it."""
        if marks:
            await self.ask("mark", marks)
        kind: Json = {"format": "png"} if quality is None else {"format": "jpeg", "quality": quality}
        try:
            shot = await self.call("Page.captureScreenshot", **kind)
        finally:
            if marks and not self.lost:
                await self.ask("unmark")
        return base64.b64decode(shot["data"])

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the viewport. Raises ToolError if it is outside."""
        width, height = self.profile.width, self.profile.height
        if not (0 <= x < width and 0 <= y < height):
            raise ToolError(f"({x:g}, {y:g}) is outside of the viewport, which is {width} x {height}")
        return x, y

    # ---- moving -------------------------------------------------------------------------------------------------

    async def open(self, url: str, settle_ms: int = SETTLE_MS) -> None:
        """Go to `url` and wait for it. What keeps it from loading becomes a note."""
        try:
            went = await self.call("Page.navigate", self.load_s, url=url)
            if error := went.get("errorText"):
                self._note(f"{url} did not load: {error}")
        except Late:
            await self._stop(url)
        await self.settle(settle_ms)

    async def history(self, step: int) -> bool:
        """Go back (-1) or forward (1); False if there is nothing there."""
        past = await self.call("Page.getNavigationHistory")
        at = past["currentIndex"] + step
        if not 0 <= at < len(past["entries"]) or past["entries"][at]["url"] == "about:blank":
            return False
        self._loading = True
        await self.call("Page.navigateToHistoryEntry", entryId=past["entries"][at]["id"])
        await self.settle()
        return True

    async def settle(self, ms: int = SETTLE_MS) -> None:
        """Let `ms` of virtual time pass; if a page is then loading, wait for it and let as much pass again."""
        try:
            async with asyncio.timeout(self.load_s):
                await self._pass(ms)
                if self._loading:
                    await self._load(ms)
        except TimeoutError:
            await self._stop("the page")
        if self.lost:
            raise self._loss()
        self._elapsed += ms

    async def _load(self, ms: int) -> None:
        """Wait for a page on its way, which takes virtual time, too, and let it have its `ms` with the clock put right."""
        while self._loading and not self.lost:
            await self._pass(ms)
        self.set_clock()
        await self._pass(ms)

    def set_clock(self, elapsed: int | None = None) -> None:
        """Have the page's clock show what has passed by the actions alone (or `elapsed` ms since the epoch)."""
        self._elapsed = self._elapsed if elapsed is None else elapsed
        if self.profile.seeded:
            self.send("Runtime.evaluate", expression=f"agentgymClock({EPOCH * 1000 + self._elapsed})")

    async def _pass(self, ms: int) -> None:
        self._expired = False
        await self.call("Emulation.setVirtualTimePolicy", policy="pauseIfNetworkFetchesPending", budget=max(ms, 1))
        await self._wait(lambda: self._expired)

    async def _wait(self, ready: Callable[[], bool]) -> None:
        while not ready() and not self.lost:
            self._changed.clear()
            await self._changed.wait()

    async def _stop(self, what: str) -> None:
        """Give up on loading. A page that does not even let itself be stopped is lost."""
        self._note(f"{what} did not finish loading")
        self._loading = False
        self.send("Page.stopLoading")
        self.send("Emulation.setVirtualTimePolicy", policy="pause")
        await self.call("Runtime.evaluate", expression="0")

    # ---- inside -------------------------------------------------------------------------------------------------

    async def prepare(self, blank: bool) -> None:
        """Set up a new page before anything of it runs. blank: nothing will, so that its clock can be set far ahead."""
        for method, params in outfit(self.profile):
            self.send(method, **params)
        self._expired = False
        ahead = {"budget": _AHEAD_MS, "initialVirtualTime": EPOCH - _AHEAD_MS // 1000}
        self.send("Emulation.setVirtualTimePolicy", policy="advance" if blank else "pause", **(ahead if blank else {}))
        await self.call("Runtime.runIfWaitingForDebugger")
        if blank:
            async with asyncio.timeout(ANSWER_S):
                await self._wait(lambda: self._expired)

    @property
    def fresh(self) -> bool:
        """Whether its clock is still far enough ahead for another episode."""
        return (monotonic() - self._opened) * 1000 < _AHEAD_MS / 2

    def gone(self, why: str) -> None:
        """Note that the page is no more."""
        self.lost = self.lost or why
        self._changed.set()

    def _loss(self) -> PageLost | SandboxError:
        return SandboxError("the browser has died") if self._pipe.closed else PageLost(self.lost)

    def forget(self) -> None:
        self._pipe.forget(self._session)

    async def _in_world(self) -> int:
        if self.lost:
            raise self._loss()
        if self._world is None:
            self.send("Runtime.evaluate", expression="0")  # a page without scripts runs ours no sooner than it is asked
            self._world = await self.world_in(self.target)
        return self._world

    async def heard(self, answer: asyncio.Future[Json]) -> Json:
        """Wait for what was sent. A page that does not answer is stopped, and lost unless it is loading."""
        try:
            return await answer
        except Late:
            self.send("Runtime.terminateExecution", 1.0)
            if not self._loading:
                self.gone("the page hangs: a script of it does not end")
            if self.lost:
                raise self._loss() from None
            raise
        except CallFailed:
            if self.lost:
                raise self._loss() from None
            raise

    def _hear(self, event: str, data: Json) -> None:
        match event:
            case "Emulation.virtualTimeBudgetExpired":
                self._expired = True
            case "Page.frameStartedNavigating" if data["frameId"] == self.target:
                self._loading = self._loading or data.get("navigationType") not in (
                    "sameDocument",
                    "historySameDocument",
                )
            case "Page.frameStartedLoading" if data["frameId"] == self.target:
                self._loading = True
            case "Page.frameStoppedLoading" if data["frameId"] == self.target:
                self._loading = False
            case "Page.frameNavigated" if "parentId" not in data["frame"]:
                self.document, self._world = data["frame"]["loaderId"], None
                self.frames.forget()
            case "Page.javascriptDialogOpening":
                self._answer_dialog(data)
            case "Page.fileChooserOpened":
                self._note("the page asks for a file: use upload_file on its field, or go on without")
            case "Inspector.targetCrashed" | "Inspector.detached":
                self.gone("the page has crashed")
            case "closed":
                self.gone("the browser has died")
        self._changed.set()

    def _answer_dialog(self, data: Json) -> None:
        """Nobody can answer while scripts stand still, so it is done here: what only informs, and leaving, is agreed to."""
        agreed = data["type"] in ("alert", "beforeunload")
        self._note(
            f"a dialog ({data['type']}) said {data['message'][:200]!r} and was {'accepted' if agreed else 'dismissed'}"
        )
        self.send("Page.handleJavaScriptDialog", accept=agreed)


def _calling(function: str, arguments: Iterable[object]) -> str:
    return f"agentgym.{function}({','.join(map(json.dumps, arguments))})"


def _asking(expression: str, world: int) -> Json:
    return {"expression": expression, "contextId": world, "returnByValue": True, "awaitPromise": True}


def _probing(probe: Probe) -> Json:
    return {"functionDeclaration": "function(){return this()}", "objectId": probe.object_id, "returnByValue": True}


def _value(said: Json) -> Any:
    if "exceptionDetails" in said:
        raise ToolError(_complaint(said))
    return said["result"].get("value")


def _complaint(said: Json) -> str:
    details = said["exceptionDetails"]
    text: str = details.get("exception", {}).get("description") or details.get("text", "")
    return text.partition("\n")[0].removeprefix("Error: ")[:500]

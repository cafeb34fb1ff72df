"""WebEnvironment: an episode in one browser session. What the task is and what counts is for those that derive from it.

Tools have BrowserGym's names and arguments. What a page shows comes once a turn, after all its calls; ids are those of the
page that was shown last, and none other.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field

from agentgym.environment import Environment
from agentgym.envs.web.browser import hands
from agentgym.envs.web.browser.cdp import CallFailed, Late
from agentgym.envs.web.browser.elements import Look
from agentgym.envs.web.browser.hands import Button
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.render import render
from agentgym.envs.web.browser.session import Session
from agentgym.envs.web.browser.tab import PageLost, Probe, Tab
from agentgym.envs.web.calls import read_call
from agentgym.envs.web.config import WebConfig
from agentgym.errors import SandboxError, ToolError
from agentgym.tools import tool
from agentgym.types import Blob, Content, Message, Observation, Reply, Text

W = TypeVar("W", bound=WebConfig)
Bid = Annotated[str | int, Field(description="The id of an element, as shown in brackets.")]
Keys = Annotated[str, Field(description="A key or a combination, such as Enter, a, Control+a, ArrowDown.")]
MAX_WAIT_MS = 10_000
PAGE_LOST = "page_lost"


class WebEnvironment(Environment[W]):
    """Derive, and say with `profile` what is browsed and with `begin` how a task starts; `watch` hears of every look.

    Attributes: `session`, `look` (the latest), `said` (by the probe that `begin` planted as `self.probe`, then).
    """

    session: Session | None = None
    probe: Probe | None = None
    look: Look
    said: Any = None
    _shown: tuple[str, str] = ("", "")
    _acted = False

    @classmethod
    async def open_shared(cls, config: W, runtime: Any) -> Browsers:
        return await Browsers.of(runtime, config.browsers, config.sessions)

    @abstractmethod
    async def profile(self) -> Profile:
        """What session the task needs."""

    @abstractmethod
    async def begin(self, tab: Tab) -> str:
        """Open the task in `tab`, and say what is to be done."""

    def watch(self) -> None:
        """After each action, with `look` and `said` new: score, or end."""

    # ---- the episode ------------------------------------------------------------------------------------------------

    async def on_reset(self) -> Observation:
        browsers: Browsers = self.shared
        self.probe, self.said, self._acted = None, None, False
        self.session = await browsers.lease(await self.profile())
        try:
            goal = await self.begin(self.session.tab)
            await self._look()
        except (CallFailed, Late, ToolError) as error:
            raise SandboxError(f"the task's page did not open: {error}") from None
        page = await self._page()
        content: Content = f"{goal}\n\n{page}" if isinstance(page, str) else (Text(f"{goal}\n\n"), *page)
        return Observation((Message("user", content),))

    async def on_text(self, text: str) -> str:
        """A message may be an action in BrowserGym's or WebArena's way of writing."""
        call = read_call(text, self.toolbox)
        if call is None:
            return "No action was understood. Call a tool, or write one call, such as click('12')."
        done = await getattr(self, call.name)(**self.toolbox[call.name].parse(call.arguments))
        return str(done.content)

    async def on_turn(self) -> Content | None:
        if not self._acted or self.ended is not None:
            return None
        self._acted = False
        return await self._page()

    async def state(self) -> Any:
        session = self._session
        rows = [[each.role, each.name, each.value, each.states, each.colour] for each in self.look.elements]
        tabs = [session.active, len(session.tabs)]
        return {"url": self.address, "title": self.look.title, "rows": rows, "scroll": self.look.scroll, "tabs": tabs}

    async def on_close(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            await self.shared.give_back(session)

    # ---- for those who derive -----------------------------------------------------------------------------------

    async def act(
        self, work: Callable[[Tab], Awaitable[object]], said: str, bid: Bid | None = None, wait_ms: int | None = None
    ) -> Reply:
        """Do something to the page, let it settle (for `wait_ms` of its time), and look. `bid`: what `work` refers to."""
        tab = self._session.tab
        if bid is not None and (tab.target, tab.document) != self._shown:
            raise ToolError("the page has changed since it was shown to you: its ids are new, see it first")
        before = self.look
        try:
            try:
                await work(tab)
            finally:
                if not tab.lost:
                    await tab.settle(self.config.settle_ms if wait_ms is None else wait_ms)
            await self._session.ready()
            if self._session.tab is not tab:
                await self._session.tab.settle(self.config.settle_ms)
            await self._look()
        except PageLost as error:
            self.end(PAGE_LOST)
            raise ToolError(f"{error}; the episode ends here") from None
        except CallFailed as error:
            raise ToolError(f"the browser refused: {error}") from None
        except Late as error:
            raise ToolError(str(error)) from None
        self.watch()
        return Reply(said, self.look != before)

    @property
    def _session(self) -> Session:
        if self.session is None:
            raise SandboxError("the browser session is closed")
        return self.session

    async def _look(self) -> None:
        self._acted = True
        self.look, self.said = await self._session.tab.look(self.config.elements, self.probe)

    async def _page(self) -> Content:
        """What is shown after a turn: notes, tabs if there are several, the page, and a picture if that is wished."""
        session = self._session
        self._acted, self._shown = False, (session.tab.target, session.tab.document)
        lines = [f"Note: {note}" for note in session.take_notes()]
        if len(session.tabs) > 1:
            lines.append(f"Tab {session.active} of 0 to {len(session.tabs) - 1}")
        lines.append(self.header())
        lines.append(
            render(self.look, self.config.observation, boxes=self.config.boxes, viewport_only=self.config.viewport_only)
        )
        text = "\n".join(line for line in lines if line)
        if self.config.screenshot == "never":
            return text
        picture = await self._picture(self.config.screenshot == "marks")
        return (Text(text), picture)

    def header(self) -> str:
        """What is said of the page besides what is on it."""
        left, top = self.look.scroll
        wide, high, all_wide, all_high = self.look.size
        more = all_high > high or all_wide > wide
        place = f", scrolled to {left},{top} of {all_wide - wide},{all_high - high}" if more else ""
        return f"Page: {self.look.title!r} {self.address}{place}"

    @property
    def address(self) -> str:
        """Where the tab is, without the site's port, which differs from run to run: "/item/7"."""
        origins = self._session.profile.origins
        return next(
            (url for origin in origins[:1] if (url := self.look.url.removeprefix(origin)) != self.look.url),
            self.look.url,
        )

    async def _picture(self, marks: bool) -> Blob:
        shown = [each for each in self.look.elements if each.active and self.look.in_view(each)] if marks else []
        return Blob("image/png", await self._session.tab.screenshot([(each.ref, *each.box) for each in shown]))

    # ---- tools: pointing ------------------------------------------------------------------------------------------

    @tool
    async def click(self, bid: Bid, button: Button = "left", modifiers: list[hands.Modifier] | None = None) -> Reply:
        """Click an element.

        Args:
            button: Which button of the mouse.
            modifiers: Keys held meanwhile.
        """
        return await self.act(lambda tab: _click(tab, bid, button, 1, modifiers), "Clicked.", bid)

    @tool
    async def dblclick(self, bid: Bid, button: Button = "left", modifiers: list[hands.Modifier] | None = None) -> Reply:
        """Double-click an element.

        Args:
            button: Which button of the mouse.
            modifiers: Keys held meanwhile.
        """
        return await self.act(lambda tab: _click(tab, bid, button, 2, modifiers), "Double-clicked.", bid)

    @tool
    async def hover(self, bid: Bid) -> Reply:
        """Move the mouse over an element."""

        async def work(tab: Tab) -> None:
            await hands.hover_at(tab, await hands.aim(tab, ref_of(bid), enabled=False))

        return await self.act(work, "Hovering.", bid)

    @tool
    async def drag_and_drop(self, from_bid: Bid, to_bid: Bid) -> Reply:
        """Drag one element onto another."""

        async def work(tab: Tab) -> None:
            end = await hands.aim(tab, ref_of(to_bid))
            await hands.drag(tab, await hands.aim(tab, ref_of(from_bid)), end)

        return await self.act(work, "Dragged.", from_bid)

    @tool
    async def scroll(self, delta_x: float, delta_y: float) -> Reply:
        """Scroll what is in the middle of the page, or under the mouse.

        Args:
            delta_x: Pixels to the right.
            delta_y: Pixels down.
        """
        return await self.act(lambda tab: hands.scroll(tab, delta_x, delta_y), "Scrolled.")

    @tool
    async def mouse_move(self, x: float, y: float) -> Reply:
        """Move the mouse to a place in the viewport.

        Args:
            x: Pixels from the left.
            y: Pixels from the top.
        """
        return await self.act(lambda tab: hands.hover_at(tab, tab.place(x, y)), "Moved.")

    @tool
    async def mouse_click(self, x: float, y: float, button: Button = "left") -> Reply:
        """Click at a place in the viewport.

        Args:
            x: Pixels from the left.
            y: Pixels from the top.
            button: Which button of the mouse.
        """
        return await self.act(lambda tab: hands.click_at(tab, tab.place(x, y), button), "Clicked.")

    @tool
    async def mouse_dblclick(self, x: float, y: float, button: Button = "left") -> Reply:
        """Double-click at a place in the viewport.

        Args:
            x: Pixels from the left.
            y: Pixels from the top.
            button: Which button of the mouse.
        """
        return await self.act(lambda tab: hands.click_at(tab, tab.place(x, y), button, 2), "Double-clicked.")

    @tool
    async def mouse_drag_and_drop(self, from_x: float, from_y: float, to_x: float, to_y: float) -> Reply:
        """Drag from one place in the viewport to another.

        Args:
            from_x: Pixels from the left.
            from_y: Pixels from the top.
            to_x: Pixels from the left.
            to_y: Pixels from the top.
        """
        return await self.act(lambda tab: hands.drag(tab, tab.place(from_x, from_y), tab.place(to_x, to_y)), "Dragged.")

    # ---- tools: forms and keys --------------------------------------------------------------------------------------

    @tool
    async def fill(
        self, bid: Bid, value: str, enable_autocomplete_menu: bool = False, press_enter: bool = False
    ) -> Reply:
        """Replace the content of a field. Dates are written 2027-06-15, times 13:45, colours #ff0000.

        Args:
            value: The new content.
            enable_autocomplete_menu: Type the last character by key, so that the page offers completions.
            press_enter: Press Enter afterwards.
        """

        async def work(tab: Tab) -> None:
            await hands.fill(tab, ref_of(bid), value, enable_autocomplete_menu)
            if press_enter:
                await hands.press(tab, "Enter")

        return await self.act(work, "Filled.", bid)

    @tool
    async def clear(self, bid: Bid) -> Reply:
        """Empty a field."""
        return await self.act(lambda tab: hands.fill(tab, ref_of(bid), ""), "Cleared.", bid)

    @tool
    async def select_option(self, bid: Bid, options: str | list[str]) -> Reply:
        """Select one or more options of a list.

        Args:
            options: What the options are called.
        """
        wanted = [options] if isinstance(options, str) else options
        return await self.act(lambda tab: tab.ask("choose", ref_of(bid), wanted), "Selected.", bid)

    @tool
    async def check(self, bid: Bid) -> Reply:
        """See that a checkbox or radio button is checked."""
        return await self.act(lambda tab: _set(tab, bid, True), "Checked.", bid)

    @tool
    async def uncheck(self, bid: Bid) -> Reply:
        """See that a checkbox is not checked."""
        return await self.act(lambda tab: _set(tab, bid, False), "Unchecked.", bid)

    @tool
    async def focus(self, bid: Bid) -> Reply:
        """Give an element the focus."""
        return await self.act(lambda tab: tab.ask("focus", ref_of(bid)), "Focused.", bid)

    @tool
    async def press(self, bid: Bid, key_comb: Keys) -> Reply:
        """Focus an element and press a key or a combination."""

        async def work(tab: Tab) -> None:
            await tab.ask("focus", ref_of(bid))
            await hands.press(tab, key_comb)

        return await self.act(work, "Pressed.", bid)

    @tool
    async def keyboard_press(self, key: Keys) -> Reply:
        """Press a key or a combination, wherever the focus is."""
        return await self.act(lambda tab: hands.press(tab, key), "Pressed.")

    @tool
    async def keyboard_type(self, text: str) -> Reply:
        """Type a text key by key, wherever the focus is.

        Args:
            text: What to type.
        """
        return await self.act(lambda tab: hands.type_text(tab, text), "Typed.")

    # ---- tools: waiting, seeing, talking ----------------------------------------------------------------------------

    @tool
    async def noop(self, wait_ms: float = 1000) -> Reply:
        """Do nothing for a while.

        Args:
            wait_ms: How long, in milliseconds.
        """
        if not 0 <= wait_ms <= MAX_WAIT_MS:
            raise ToolError(f"wait_ms must be 0 to {MAX_WAIT_MS}")
        return await self.act(_nothing, "Waited.", wait_ms=int(wait_ms))

    @tool
    async def screenshot(self, marks: bool = False) -> Reply:
        """See a picture of the page.

        Args:
            marks: With the ids of what can be acted on drawn in.
        """
        try:
            return Reply((await self._picture(marks),))
        except (CallFailed, Late) as error:
            raise ToolError(f"no picture could be taken: {error}") from None

    @tool
    def send_msg_to_user(self, text: str) -> str:
        """Say something to the user. This ends the task: only do it with the answer, or when all is done.

        Args:
            text: The answer.
        """
        self.end("answered", answer=text)
        return "Sent."

    @tool
    def report_infeasible(self, reason: str) -> str:
        """Give up, because it can not be done.

        Args:
            reason: Why.
        """
        self.end("infeasible", answer=reason)
        return "Reported."


class SiteEnvironment(WebEnvironment[W]):
    """A web environment in which the agent may also go to addresses of the site, back and forth, and use tabs."""

    @tool
    async def goto(self, url: str) -> Reply:
        """Go to an address of this site.

        Args:
            url: The whole address, or what follows the site's name, such as /search.
        """
        return await self.act(lambda tab: tab.open(self._allowed(url)), "Opened.")

    @tool
    async def go_back(self) -> Reply:
        """Go back one page."""
        return await self.act(lambda tab: _history(tab, -1), "Went back.")

    @tool
    async def go_forward(self) -> Reply:
        """Go forward one page."""
        return await self.act(lambda tab: _history(tab, 1), "Went forward.")

    @tool
    async def new_tab(self) -> Reply:
        """Open an empty tab."""
        return await self.act(lambda tab: self._session.new_tab(), "Opened a tab.")

    @tool
    async def tab_focus(self, index: int) -> Reply:
        """Look at another tab.

        Args:
            index: Its number, from 0.
        """

        async def work(tab: Tab) -> None:
            self._session.focus(index)

        return await self.act(work, f"This is tab {index}.")

    @tool
    async def tab_close(self) -> Reply:
        """Close this tab."""
        return await self.act(lambda tab: self._session.close_tab(), "Closed the tab.")

    def _allowed(self, url: str) -> str:
        if url.startswith("/") and not url.startswith("//"):
            return self._session.profile.origins[0] + url
        if not self._session.allows(url):
            raise ToolError(
                f"{url[:200]!r} is not of this site; addresses begin with {' or '.join(self._session.profile.origins)}"
            )
        return url


def ref_of(bid: Bid) -> int:
    """The number in an element's id, however it is written: 12, "12", "[12]", "e12". Raises ToolError."""
    text = str(bid).strip().strip("[]").removeprefix("e")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ToolError(f"{str(bid)[:50]!r} is no element's id: use the number shown in brackets")
    return int(text)


async def _click(tab: Tab, bid: Bid, button: Button, count: int, modifiers: list[hands.Modifier] | None) -> None:
    await hands.click_at(tab, await hands.aim(tab, ref_of(bid)), button, count, modifiers or ())


async def _nothing(tab: Tab) -> None:
    return None


async def _set(tab: Tab, bid: Bid, wanted: bool) -> None:
    if await tab.ask("state", ref_of(bid)) != wanted:
        await _click(tab, bid, "left", 1, None)


async def _history(tab: Tab, step: int) -> None:
    if not await tab.history(step):
        raise ToolError(f"there is no page to go {'back' if step < 0 else 'forward'} to")

"""WebEnvironment: the tools of a web agent, with BrowserGym's names and arguments. How an episode goes is `page_environment`'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from agentgym.envs.web.browser import hands
from agentgym.envs.web.browser.cdp import CallFailed, Late
from agentgym.envs.web.browser.hands import Button
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.calls import read_call
from agentgym.envs.web.written_environment import W, WrittenEnvironment
from agentgym.errors import ToolError
from agentgym.tools import tool
from agentgym.types import Reply

Bid = Annotated[str | int, Field(description="The id of an element, as shown in brackets.")]
Keys = Annotated[str, Field(description="A key or a combination, such as Enter, a, Control+a, ArrowDown.")]
MAX_WAIT_MS = 10_000


class WebEnvironment(WrittenEnvironment[W]):
    """What a task is and what counts is for those that derive from it."""

    async def on_text(self, text: str) -> str:
        """A message may be an action in BrowserGym's or WebArena's way of writing."""
        call = read_call(text, self.toolbox)
        if call is None:
            return "No action was understood. Call a tool, or write one call, such as click('12')."
        done = await getattr(self, call.name)(**self.toolbox[call.name].parse(call.arguments))
        return str(done.content)

    # ---- tools: pointing ------------------------------------------------------------------------------------------

    @tool
    async def click(self, bid: Bid, button: Button = "left", modifiers: list[hands.Modifier] | None = None) -> Reply:
        """Click an element.

        Args:
            button: Which button of the mouse.
            modifiers: Keys held meanwhile.
        """
        return await self.act_on(bid, lambda tab: _click(tab, bid, button, 1, modifiers), "Clicked.")

    @tool
    async def dblclick(self, bid: Bid, button: Button = "left", modifiers: list[hands.Modifier] | None = None) -> Reply:
        """Double-click an element.

        Args:
            button: Which button of the mouse.
            modifiers: Keys held meanwhile.
        """
        return await self.act_on(bid, lambda tab: _click(tab, bid, button, 2, modifiers), "Double-clicked.")

    @tool
    async def hover(self, bid: Bid) -> Reply:
        """Move the mouse over an element."""

        async def work(tab: Tab) -> None:
            await hands.hover_at(tab, await hands.aim(tab, ref_of(bid), enabled=False))

        return await self.act_on(bid, work, "Hovering.")

    @tool
    async def drag_and_drop(self, from_bid: Bid, to_bid: Bid) -> Reply:
        """Drag one element onto another."""

        async def work(tab: Tab) -> None:
            end = await hands.aim(tab, ref_of(to_bid))
            await hands.drag(tab, await hands.aim(tab, ref_of(from_bid)), end)

        return await self.act_on(from_bid, work, "Dragged.")

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

        return await self.act_on(bid, work, "Filled.")

    @tool
    async def clear(self, bid: Bid) -> Reply:
        """Empty a field."""
        return await self.act_on(bid, lambda tab: hands.fill(tab, ref_of(bid), ""), "Cleared.")

    @tool
    async def select_option(self, bid: Bid, options: str | list[str]) -> Reply:
        """Select one or more options of a list.

        Args:
            options: What the options are called.
        """
        wanted = [options] if isinstance(options, str) else options
        return await self.act_on(bid, lambda tab: tab.ask_of(ref_of(bid), "choose", wanted), "Selected.")

    @tool
    async def check(self, bid: Bid) -> Reply:
        """See that a checkbox or radio button is checked."""
        return await self.act_on(bid, lambda tab: _set(tab, bid, True), "Checked.")

    @tool
    async def uncheck(self, bid: Bid) -> Reply:
        """See that a checkbox is not checked."""
        return await self.act_on(bid, lambda tab: _set(tab, bid, False), "Unchecked.")

    @tool
    async def focus(self, bid: Bid) -> Reply:
        """Give an element the focus."""
        return await self.act_on(bid, lambda tab: tab.ask_of(ref_of(bid), "focus"), "Focused.")

    @tool
    async def press(self, bid: Bid, key_comb: Keys) -> Reply:
        """Focus an element and press a key or a combination."""

        async def work(tab: Tab) -> None:
            await tab.ask_of(ref_of(bid), "focus")
            await hands.press(tab, key_comb)

        return await self.act_on(bid, work, "Pressed.")

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

    def files(self) -> Mapping[str, bytes]:
        """What the agent may upload, by file name. None, unless a task brings some."""
        return {}

    @tool
    async def upload_file(self, bid: Bid, file: str | list[str]) -> Reply:
        """Choose files in a field that takes them.

        Args:
            file: The name of a file that the task mentions, or several.
        """
        names = [file] if isinstance(file, str) else file
        there = self.files()
        if missing := [name for name in names if name not in there]:
            known = ", ".join(map(repr, there)) or "none"
            raise ToolError(f"there is no file {missing[0][:200]!r} to upload; there are: {known}")
        paths = [self._session.keep_file(name, there[name]) for name in names]
        return await self.act_on(bid, lambda tab: hands.give_files(tab, ref_of(bid), paths), "Chosen.")

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
    if await tab.ask_of(ref_of(bid), "state") != wanted:
        await _click(tab, bid, "left", 1, None)


async def _history(tab: Tab, step: int) -> None:
    if not await tab.history(step):
        raise ToolError(f"there is no page to go {'back' if step < 0 else 'forward'} to")

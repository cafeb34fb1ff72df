"""WrittenEnvironment: an episode in one browser session whose pages are written out, as text and if wished as pictures.

Ids are those of the page that was shown last, and none other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from agentgym.envs.web.browser.render import render
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.config import WebConfig
from agentgym.envs.web.page_environment import PageEnvironment
from agentgym.errors import ToolError
from agentgym.types import Blob, Content, Reply, Text

W = TypeVar("W", bound=WebConfig)


class WrittenEnvironment(PageEnvironment[W]):
    """Without a tool yet: those are for the ones that derive from it."""

    _shown: tuple[str, str] = ("", "")

    async def act_on(self, bid: str | int, work: Callable[[Tab], Awaitable[object]], said: str) -> Reply:
        """`act`, for work on the element `bid` of the page that was shown."""
        tab = self._session.tab
        if (tab.target, tab.document) != self._shown:
            raise ToolError("the page has changed since it was shown to you: its ids are new, see it first")
        return await self.act(work, said)

    async def _page(self) -> Content:
        """Notes, tabs if there are several, the page, and a picture if that is wished."""
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

    async def _picture(self, marks: bool) -> Blob:
        shown = [each for each in self.look.elements if each.active and self.look.in_view(each)] if marks else []
        return Blob("image/png", await self._session.tab.screenshot([(each.ref, *each.box) for each in shown]))

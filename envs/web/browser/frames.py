"""What a page shows in frames of other origins, into which it can not look itself. Frames of its own origin are `page.js`'s.

In each, `page.js` runs in a world of its own, and ids count from a number of its own, so that an id says where to ask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgym.envs.web.browser.cdp import CallFailed, Json
from agentgym.envs.web.browser.outfit import page_script
from agentgym.errors import ToolError

if TYPE_CHECKING:
    from agentgym.envs.web.browser.tab import Tab

SPAN = 100_000
"""How many ids a frame has for itself."""
MOST = 20
"""Frames that are looked into, nested ones included."""
_DEPTH, _REF, _ROLE, _BOX = 0, 1, 2, 6  # of a row


@dataclass(slots=True, frozen=True)
class Frame:
    """world: where to ask. holder: the id of the element that it is in, which may itself be in such a frame."""

    world: int
    holder: int


class Frames:
    """Those of one tab, as its last look found them."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._found: dict[int, Frame] = {}
        self._last = 0

    def forget(self) -> None:
        """The page is another one."""
        self._found.clear()

    def of(self, ref: int) -> Frame | None:
        """The frame that `ref` is in; None if it is in the page itself."""
        return self._found.get(ref // SPAN)

    async def show(self, page: Json, most: int) -> None:
        """Put rows for what is in foreign frames into `page`, which is what `page.js` said, after the elements that hold them."""
        self._found.clear()
        await self._fill(page, most)

    async def _fill(self, page: Json, most: int) -> None:
        rows = page["rows"]
        for holder, right, down in page["foreign"]:
            inner = await self._look(holder, most - len(rows))
            if inner is None:
                continue
            at = next(n for n, row in enumerate(rows) if row[_REF] == holder and row[_ROLE] == "Iframe")
            for row in inner["rows"]:
                row[_DEPTH] += rows[at][_DEPTH] + 1
                row[_BOX] = [row[_BOX][0] + right, row[_BOX][1] + down, *row[_BOX][2:]]
            rows[at + 1 : at + 1] = inner["rows"]
            page["cut"] = page["cut"] or inner["cut"]

    async def _look(self, holder: int, most: int) -> Json | None:
        """What the frame in `holder` shows, with what is in it in turn; None if it is gone or can not be asked."""
        if most <= 0 or len(self._found) >= MOST:
            return None
        try:
            world = await self._world_within(holder)
            number = await self._tab.evaluate(f"agentgym.begin({self._last + 1},{SPAN})", world)
            self._last = max(self._last, number)
            self._found[number] = Frame(world, holder)
            page: Json = json.loads(await self._tab.evaluate(f"agentgym.look({most})", world))
        except (CallFailed, ToolError):  # it was replaced meanwhile
            return None
        if page["url"].startswith("chrome-error:"):  # what the browser says of it is not the site's
            return None
        await self._fill(page, most)
        return page

    async def _world_within(self, holder: int) -> int:
        """Where to ask the frame that element `holder` holds. Raises CallFailed, ToolError if it is gone."""
        tab = self._tab
        node = await tab.call("DOM.describeNode", objectId=await tab.handle(holder, "node"))
        world = await tab.world_in(node["node"].get("frameId", ""))
        if not await tab.evaluate(
            "'agentgym' in globalThis", world
        ):  # a frame without scripts does not run ours either
            await tab.evaluate(page_script(tab.profile), world)
        return world

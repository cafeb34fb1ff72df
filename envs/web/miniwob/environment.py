"""MiniWobEnvironment: one page of MiniWoB++, from its instruction to its verdict.

The page's own scripts decide what is right. The first verdict counts: it is kept where no script of the page can reach, and
starting again is not possible. The agent acts by trusted input alone.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.environment import WebEnvironment
from agentgym.envs.web.miniwob.config import MiniWobConfig
from agentgym.envs.web.miniwob.curriculum import Deed, Start, near_the_goal, part_of_the_instruction
from agentgym.envs.web.miniwob.page import HEIGHT, STYLE, WIDTH, site_of, start
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.envs.web.miniwob.solvers.scene import Call, Scene, Stuck
from agentgym.envs.web.reading import rows_of
from agentgym.errors import SandboxError, TaskError, ToolError
from agentgym.seeds import derive_seed
from agentgym.types import Message, Observation

DONE = "done"
MAX_REHEARSED = 200


class MiniWobEnvironment(WebEnvironment[MiniWobConfig]):
    """A task's payload: "page", "seed", "mode" (which of the page's own data sets: "default" or "test")."""

    @classmethod
    async def open_shared(cls, config: MiniWobConfig, runtime: Any) -> Browsers:
        return await Browsers.of(runtime, config.browsers, config.sessions)

    _rehearsing = False

    async def on_reset(self) -> Observation:
        seen = await super().on_reset()
        if (self.config.steps_left is None and self.config.fields is None) or self._page_name not in SOLVERS:
            return seen
        goal = seen.messages[0].text.partition("\n\n[")[0]
        start = self._start(goal.partition("\n")[0], await self._rehearse(seen))
        await self.on_close()
        seen = await super().on_reset()
        if not start.deeds:
            return seen
        try:
            for deed in start.deeds:
                await self._rehearsed(deed.call)
        except ToolError as error:
            raise TaskError(f"{self.task.id}: what its solver did can not be done again ({error})") from None
        return Observation((Message("user", f"{goal}\n\n{start.said}\n\n{await self._page()}"),))

    def _start(self, goal: str, deeds: list[Deed]) -> Start:
        if self.config.steps_left is not None:
            return near_the_goal(deeds, self.config.steps_left)
        rng = Random(derive_seed("miniwob fields", self.task.id))
        return part_of_the_instruction(self._page_name, goal, deeds, self.config.fields or 0, rng)

    async def _rehearse(self, seen: Observation) -> list[Deed]:
        """What the page's solver does until the page's verdict."""
        first = text = seen.messages[0].text
        goal, deeds = first.partition("\n")[0], list[Deed]()
        try:
            while self._verdict_of_page is None and len(deeds) < MAX_REHEARSED:
                rows = rows_of(text)
                made = SOLVERS[self._page_name](Scene(goal, rows, rows_of(first), [deed.call for deed in deeds]))
                call = made[0] if isinstance(made, list) else made
                deeds.append(Deed(call, next((row for row in rows if row.ref == call[1].get("bid")), None)))
                text = await self._rehearsed(call)
        except (Stuck, StopIteration, LookupError, ValueError, ToolError) as error:
            raise TaskError(f"{self.task.id}: its solver got stuck ({error}), so it can not begin elsewhere") from None
        return deeds

    async def _rehearsed(self, call: Call) -> str:
        """Do it, before the agent's turn, and say what the page shows then."""
        name, given = call
        self._rehearsing = True
        try:
            await getattr(self, name)(**given)
        finally:
            self._rehearsing = False
        return str(await self._page())

    @property
    def _page_name(self) -> str:
        return str(self.task.payload["page"])

    async def profile(self) -> Profile:
        self._site = await site_of(self.runtime)
        return Profile((self._site.origin,), WIDTH, HEIGHT, style=STYLE, stateless=True)

    async def begin(self, tab: Tab) -> str:
        page, seed, mode = (self.task.payload.get(key) for key in ("page", "seed", "mode"))
        if not isinstance(page, str) or not isinstance(seed, int) or mode not in ("default", "test"):
            raise TaskError(f"task {self.task.id}: its payload needs page, seed and mode, and is {self.task.payload}")
        self._verdict_of_page: dict[str, Any] | None = None
        place = f"{self._site.origin}/miniwob/{page}.html"
        self.probe, goal = await start(tab, place, seed, mode, self.config.episode_ms, self.config.settle_ms)
        if notes := self._session.take_notes():
            raise SandboxError(f"{page} did not start: {'; '.join(notes)}")
        return f"{goal}\n\nYou are on a small web page, whose clock stands still while you think: every action takes it {self.config.settle_ms} ms."

    def header(self) -> str:
        return ""

    def watch(self) -> None:
        self._verdict_of_page = self.said["verdict"]
        if self._verdict_of_page is not None and not self._rehearsing:
            self.end(DONE)

    async def artefacts(self) -> dict[str, str]:
        return {"verdict": json.dumps(self._verdict_of_page)}

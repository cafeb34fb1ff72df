"""MiniWobEnvironment: one page of MiniWoB++, from its instruction to its verdict.

The page's own scripts decide what is right. The first verdict counts: it is kept where no script of the page can reach, and
starting again is not possible. The agent acts by trusted input alone.
"""

from __future__ import annotations

import json
from typing import Any

from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.environment import WebEnvironment
from agentgym.envs.web.miniwob.config import MiniWobConfig
from agentgym.envs.web.miniwob.page import HEIGHT, STYLE, WIDTH, site_of, start
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.envs.web.miniwob.solvers.scene import Call, Scene, Stuck
from agentgym.envs.web.reading import rows_of
from agentgym.errors import SandboxError, TaskError, ToolError
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
        left, page = self.config.steps_left, self.task.payload["page"]
        if left is None or page not in SOLVERS:
            return seen
        steps = await self._rehearse(seen, MAX_REHEARSED)
        await self.on_close()
        seen = await super().on_reset()
        if steps <= left:
            return seen
        await self._rehearse(seen, steps - left)
        goal = seen.messages[0].text.partition("\n\n[")[0]
        return Observation((Message("user", f"{goal}\n\nSome of it is done already.\n\n{await self._page()}"),))

    async def _rehearse(self, seen: Observation, most: int) -> int:
        """Do what the page's solver would, until the page's verdict or `most` calls; how many it took."""
        first = text = seen.messages[0].text
        goal, done = first.partition("\n")[0], list[Call]()
        self._rehearsing = True
        try:
            while self._verdict_of_page is None and len(done) < most:
                made = SOLVERS[self.task.payload["page"]](Scene(goal, rows_of(text), rows_of(first), done))
                name, given = made[0] if isinstance(made, list) else made
                await getattr(self, name)(**given)
                done.append((name, given))
                text = str(await self._page())
        except (Stuck, StopIteration, LookupError, ValueError, ToolError) as error:
            raise TaskError(f"{self.task.id}: its solver got stuck ({error}), so steps_left can not be kept") from None
        finally:
            self._rehearsing = False
        return len(done)

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

"""PageEnvironment: an episode in one browser session. What the agent can do and how it is shown is for those that derive from it.

What a page shows comes once a turn, after all its calls.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from agentgym.environment import Environment
from agentgym.envs.web.browser.cdp import CallFailed, Late
from agentgym.envs.web.browser.elements import Look
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.session import Session
from agentgym.envs.web.browser.tab import PageLost, Probe, Tab
from agentgym.envs.web.config import PageConfig
from agentgym.errors import SandboxError, ToolError
from agentgym.types import Content, Message, Observation, Reply, Text

P = TypeVar("P", bound=PageConfig)
PAGE_LOST = "page_lost"


class PageEnvironment(Environment[P]):
    """Derive, and say with `profile` what is browsed and with `begin` how a task starts; `watch` hears of every look.

    Attributes: `session`, `look` (the latest), `said` (by the probe that `begin` planted as `self.probe`, then).
    """

    session: Session | None = None
    probe: Probe | None = None
    look: Look
    said: Any = None
    _acted = False

    @classmethod
    async def open_shared(cls, config: P, runtime: Any) -> Browsers:
        return await Browsers.of(runtime, config.browsers, config.sessions)

    @abstractmethod
    async def profile(self) -> Profile:
        """What session the task needs."""

    @abstractmethod
    async def begin(self, tab: Tab) -> str:
        """Open the task in `tab`, and say what is to be done."""

    @abstractmethod
    async def _page(self) -> Content:
        """What is shown after a turn. Sets `_acted` to False."""

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

    async def act(self, work: Callable[[Tab], Awaitable[object]], said: str, wait_ms: int | None = None) -> Reply:
        """Do something to the page, let it settle (for `wait_ms` of its time), and look."""
        tab = self._session.tab
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

    @property
    def address(self) -> str:
        """Where the tab is, without the site's port, which differs from run to run: "/item/7"."""
        origins = self._session.profile.origins
        return next(
            (url for origin in origins[:1] if (url := self.look.url.removeprefix(origin)) != self.look.url),
            self.look.url,
        )

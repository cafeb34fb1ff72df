"""The browsers of a runtime: started when needed, shared by all episodes, ended with it. Sessions are leased from here.

One browser holds many sessions, whose pages run in processes of their own; a second one pays when its main process has
more to do than one core can. A browser that died is left behind: who was in it hears of it, and the next get a new one.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from agentgym.envs.web.browser.cdp import CallFailed, Json, Late
from agentgym.envs.web.browser.chromium import Chromium
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.session import Session
from agentgym.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

LEASE_WAIT_S = 120.0


class Browsers:
    """At most `browsers` processes and `sessions` open sessions; one session more waits for a place."""

    def __init__(self, browsers: int, sessions: int) -> None:
        self._most, self._sessions = browsers, sessions
        self._places = asyncio.Semaphore(sessions)
        self._running: list[Chromium] = []
        self._starting = asyncio.Lock()
        self._opening = asyncio.Semaphore(os.cpu_count() or 1)  # more at once take longer, not less
        self._leased: dict[str, Session] = {}
        self._idle: list[Session] = []

    @classmethod
    async def of(cls, runtime: Runtime, browsers: int = 1, sessions: int = 32) -> Browsers:
        """The runtime's own; ends with it."""

        async def open_pool() -> Browsers:
            pool = cls(browsers, sessions)
            runtime.on_close(pool.close)
            return pool

        return await runtime.resource(("browsers", browsers, sessions), open_pool)

    async def lease(self, profile: Profile) -> Session:
        """A session with one empty tab (or, of a stateless profile, one that was used before). Give it back.

        Raises SandboxError if no browser starts, UsageError if there is none or no place comes free in time.
        """
        try:
            await asyncio.wait_for(self._places.acquire(), LEASE_WAIT_S)
        except TimeoutError:
            raise UsageError(
                f"all {self._sessions} browser sessions are open and none was given back within {LEASE_WAIT_S:g} s: "
                "a fork holds one meanwhile, so configure more `sessions` or close branches sooner"
            ) from None
        try:
            async with self._opening:
                return self._used(profile) or await self._fresh(profile)
        except BaseException:
            self._places.release()
            raise

    async def give_back(self, session: Session) -> None:
        """Keep a stateless session for the next; close others. Idempotent."""
        if self._leased.get(session.context) is not session or session in self._idle:
            return
        try:
            if await session.renew():
                self._idle.append(session)
            else:
                del self._leased[session.context]
                await session.close()
        finally:
            self._places.release()

    async def close(self) -> None:
        """End every browser. Idempotent."""
        running, self._running = self._running, []
        self._leased.clear()
        self._idle.clear()
        await asyncio.gather(*(browser.close() for browser in running))

    @property
    def pids(self) -> list[int]:
        """Of the browsers' main processes."""
        return [browser.process.pid for browser in self._running]

    def _used(self, profile: Profile) -> Session | None:
        for session in self._idle:
            if session.profile == profile and session.browser.alive:
                self._idle.remove(session)
                return session
        return None

    async def _fresh(self, profile: Profile) -> Session:
        session = None
        try:
            session = await Session.open(await self._browser(), profile)
            self._leased[session.context] = session
            await session.new_tab()
            return session
        except (CallFailed, Late, TimeoutError) as error:
            raise SandboxError(f"the browser could not open a session: {error or 'no tab came'}") from None
        finally:
            if session is not None and not session.tabs:
                self._leased.pop(session.context, None)
                await session.close()

    async def _browser(self) -> Chromium:
        """The one with the fewest sessions; another is started first while there may be one."""
        async with self._starting:
            dead = [browser for browser in self._running if not browser.alive]
            for browser in dead:
                self._running.remove(browser)
                await browser.close()
            counts = dict.fromkeys(self._running, 0)
            for session in self._leased.values():
                if session.browser in counts:
                    counts[session.browser] += 1
            if not counts or (min(counts.values()) and len(counts) < self._most):
                return await self._start()
            return min(counts, key=lambda each: counts[each])

    async def _start(self) -> Chromium:
        browser = await Chromium.start()
        browser.listen(lambda event, data: self._hear(event, data))
        pages = [{"type": "page"}]
        await browser.call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True, filter=pages
        )
        self._running.append(browser)
        return browser

    def _hear(self, event: str, data: Json) -> None:
        if event == "Target.attachedToTarget":
            target = data["targetInfo"]
            if session := self._leased.get(target.get("browserContextId", "")):
                session.attached(target, data["sessionId"])
        elif event == "Target.detachedFromTarget":
            for session in list(self._leased.values()):
                session.detached(data.get("targetId", ""))

"""Session: a context of its own in a shared browser (cookies, storage, network), with its tabs. Made and taken by `pool`."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from agentgym.envs.web.browser.cdp import CallFailed, Json, Late
from agentgym.envs.web.browser.chromium import Chromium
from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import ANSWER_S, Tab
from agentgym.errors import SandboxError, ToolError, UsageError

MAX_TABS, MAX_NOTES = 10, 20
_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens


class Session:
    """Tabs that share cookies and storage with each other and with nobody else.

    `notes` gathers what happened beside the pages (dialogs, new tabs, refused downloads) until `take_notes`.
    """

    def __init__(self, browser: Chromium, profile: Profile, context: str) -> None:
        self.browser, self.profile, self.context = browser, profile, context
        self.tabs: list[Tab] = []
        self.active = 0
        self._notes: list[str] = []
        self._arrived = asyncio.Event()
        self._setups: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, browser: Chromium, profile: Profile) -> Session:
        """A fresh context, not yet known to the pool. Raises UsageError for an origin that is not on loopback."""
        hosts = ";".join(_host(origin) for origin in profile.origins)
        made = await browser.call(
            "Target.createBrowserContext",
            disposeOnDetach=True,
            proxyServer=_NOWHERE,  # all goes there
            proxyBypassList=f"<-loopback>;{hosts}",  # but this
        )
        session = cls(browser, profile, made["browserContextId"])
        await browser.call("Browser.setDownloadBehavior", behavior="deny", browserContextId=session.context)
        return session

    @property
    def tab(self) -> Tab:
        """The tab that is looked at."""
        return self.tabs[self.active]

    async def new_tab(self) -> Tab:
        """Open an empty tab and look at it."""
        if len(self.tabs) >= MAX_TABS:
            raise ToolError(f"there are {len(self.tabs)} tabs, and no more are allowed: close one with tab_close")
        count = len(self.tabs)
        await self.browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)
        async with asyncio.timeout(ANSWER_S):
            while len(self.tabs) == count or self._setups:
                self._arrived.clear()
                await self._arrived.wait()
        self._notes.clear()
        self.active = len(self.tabs) - 1
        return self.tab

    async def close_tab(self) -> None:
        """Close the tab that is looked at. The last one gives way to an empty one."""
        tab = self.tabs.pop(self.active)
        tab.gone("the tab was closed")
        tab.forget()
        with suppress(CallFailed, Late):
            await self.browser.call("Target.closeTarget", targetId=tab.target)
        self.active = max(0, self.active - 1)
        if not self.tabs:
            await self.new_tab()

    def focus(self, index: int) -> None:
        if not 0 <= index < len(self.tabs):
            raise ToolError(f"there is no tab {index}: they are numbered 0 to {len(self.tabs) - 1}")
        self.active = index

    def allows(self, url: str) -> bool:
        """Whether `url` is of one of the session's origins."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" in self.profile.origins

    def note(self, text: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text)

    def take_notes(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def keep_file(self, name: str, data: bytes) -> Path:
        """Put a file where the browser can read it until the session ends, so that the agent can upload it."""
        folder = self.browser.home / "files" / self.context
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return folder / name

    async def ready(self) -> None:
        """Wait until tabs that pages have opened can be spoken to."""
        if self._setups:
            await asyncio.wait(set(self._setups))

    async def renew(self) -> bool:
        """Make it fit for another episode; False if it is not. Only for stateless profiles."""
        if not self.profile.stateless or len(self.tabs) != 1 or not self.browser.alive:
            return False
        if self.tab.lost or not self.tab.fresh:
            return False
        try:
            await self.tab.call("Page.resetNavigationHistory")
            return True
        except (SandboxError, CallFailed, ToolError, Late):
            return False

    async def close(self) -> None:
        """Close the tabs and forget all they kept."""
        shutil.rmtree(self.browser.home / "files" / self.context, ignore_errors=True)
        for setup in self._setups:
            setup.cancel()
        for tab in self.tabs:
            tab.forget()
        with suppress(SandboxError, CallFailed, Late):
            await self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    # ---- what the browser tells the pool, and the pool the session ------------------------------------------------

    def attached(self, target: Json, session_id: str) -> None:
        """A page came to be in this context: ours, or one that a page opened."""
        tab = Tab(self.browser.pipe, target["targetId"], session_id, self.profile, self.note)
        if len(self.tabs) >= MAX_TABS:
            tab.forget()
            self.note("the page tried to open one tab too many")
            tab.send("Runtime.runIfWaitingForDebugger")  # the page that opened it waits, too
            self.browser.pipe.send("Target.closeTarget", {"targetId": tab.target}, "", 5.0)
            return
        self.tabs.append(tab)
        if "openerId" in target:
            self.active = len(self.tabs) - 1
            self.note(f"the page opened a new tab, number {self.active}")
        setup = asyncio.ensure_future(self._set_up(tab, "openerId" not in target))
        self._setups.add(setup)

    def detached(self, target: str) -> None:
        """A page closed itself, or was closed."""
        for index, tab in enumerate(self.tabs):
            if tab.target == target:
                tab.gone("the tab was closed")
                if len(self.tabs) > 1:
                    self.tabs.remove(tab)
                    self.active -= index < self.active or self.active == len(self.tabs)
                return

    async def _set_up(self, tab: Tab, blank: bool) -> None:
        try:
            await tab.prepare(blank)
        except (SandboxError, CallFailed, ToolError, Late, TimeoutError) as error:
            tab.gone(f"the tab did not open: {error}")
        finally:
            self._setups = {each for each in self._setups if each is not asyncio.current_task()}
            self._arrived.set()


def _host(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or parts.hostname not in ("127.0.0.1", "localhost") or not parts.port:
        raise UsageError(f"{origin!r} can not be browsed: sites of tasks are on loopback, like http://127.0.0.1:8080")
    return f"{parts.hostname}:{parts.port}"

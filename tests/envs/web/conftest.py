"""Shared by the web tests: a site of rough pages, an environment on it, and episodes played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.config import WebConfig
from agentgym.envs.web.environment import SiteEnvironment
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.runtime import Runtime
from agentgym.tasks import Task, TaskList
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier


class RoughSite:
    """Answers with `pages` by path; "/redirect/N" goes to N + 1 for ever, "/never" does not answer. Counts what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []
        self.origin = ""

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        path = head.decode().split(" ")[1]
        self.asked.append(path)
        if path == "/never":
            return
        if path.startswith("/redirect/"):
            writer.write(
                f"HTTP/1.1 302 Found\r\nLocation: /redirect/{int(path[10:]) + 1}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        elif path == "/file":
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Disposition: attachment\r\nContent-Length: 2\r\n\r\nPK"
            )
        else:
            body = self.pages.get(path, "<p>nothing here</p>").encode()
            head_ = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head_.encode() + body)
        await writer.drain()
        writer.close()


class RoughEnvironment(SiteEnvironment[WebConfig]):
    """Payload: "origin" and "path"."""

    async def profile(self) -> Profile:
        return Profile((self.task.payload["origin"],), 400, 300)

    async def begin(self, tab: Tab) -> str:
        await tab.open(self.task.payload["origin"] + self.task.payload["path"])
        return "Look around."


class _Nothing(Verifier):
    name = "nothing"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return [Score("solved", 0.0)]


ROUGH = EnvSpec(
    "test/rough-v0", RoughEnvironment, lambda config, runtime: TaskList([]), _Nothing(), Rubric((Channel("solved", "outcome"),)), WebConfig()
)  # fmt: skip


class Player:
    """Plays one episode; `do` takes one action as text and gives back what came of it."""

    def __init__(self, runtime: Runtime, site: RoughSite) -> None:
        self.runtime, self.site = runtime, site
        self.env: Any = RoughEnvironment(ROUGH, runtime)

    async def start(self, page: str = "", path: str = "/") -> str:
        if page:
            self.site.pages[path] = page
        task = Task(f"rough{path}", ROUGH.id, {"origin": self.site.origin, "path": path})
        observation, _ = await self.env.reset(task=task)
        return str(observation.messages[-1].text)

    async def do(self, action: Any) -> str:
        observation, _, self.terminated, _, self.info = await self.env.step(action)
        return "\n".join(message.text for message in observation.messages)


@pytest.fixture
async def site() -> AsyncIterator[RoughSite]:
    site = RoughSite()
    await site.open()
    yield site
    site.close()


@pytest.fixture
async def player(site: RoughSite) -> AsyncIterator[Player]:
    async with Runtime() as runtime:
        player = Player(runtime, site)
        yield player
        await player.env.close()

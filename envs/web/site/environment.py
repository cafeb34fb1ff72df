"""HostedEnvironment: an episode in a site of its own, which is brought up at reset. What site that is, is said by `host`.

The agent is told of the site under a name, since its port is another one each time: replays would differ.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from agentgym.envs.web.browser.profile import Profile
from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.config import WebConfig
from agentgym.envs.web.environment import SiteEnvironment
from agentgym.envs.web.site.site import Site
from agentgym.errors import TaskError, ToolError
from agentgym.types import Content, Text

W = TypeVar("W", bound=WebConfig)


class HostedEnvironment(SiteEnvironment[W]):
    """A task's payload: "goal" (what is to be done), "start" (a path, such as "/wiki", where it begins), and, if the agent is to
    upload some, "files" (texts by file name).

    Artefacts: the site's facts; "answer" and "place" (a JSON text, and the path of the page shown last), which are the
    agent's word and the browser's, fit for tasks that ask for an answer or a page.
    """

    name = "http://site.test"
    site: Site | None = None

    @abstractmethod
    async def host(self) -> Site:
        """A fresh site for `self.task`. Raise SandboxError if it does not come up."""

    async def profile(self) -> Profile:
        await self._leave()
        self.site = await self.host()
        return Profile((self.site.origin,))

    async def begin(self, tab: Tab) -> str:
        goal, start = self.task.payload.get("goal"), self.task.payload.get("start", "/")
        if not isinstance(goal, str) or not isinstance(start, str) or not start.startswith("/"):
            raise TaskError(f"task {self.task.id}: its payload needs a goal, and a start that is a path like /wiki")
        await tab.open(f"{self._hosted.origin}{start}", self.config.settle_ms)
        files = f" You have these files: {', '.join(self.files())}." if self.files() else ""
        return f"{goal}\n\nYou are on the site {self.name}, and can not leave it.{files}"

    def files(self) -> Mapping[str, bytes]:
        given = self.task.payload.get("files", {})
        if not isinstance(given, dict) or not all(_is_file(name, text) for name, text in given.items()):
            raise TaskError(
                f"task {self.task.id}: its files are to be texts by file name, like {{'note.txt': 'hello'}}"
            )
        return {name: text.encode() for name, text in given.items()}

    def watch(self) -> None:
        if (reason := self._hosted.done()) is not None:
            self.end(reason)

    @property
    def address(self) -> str:
        return self._named(self.look.url)

    async def state(self) -> Any:
        seen = self._named(json.dumps(await super().state()))
        return [self.spec.normalise(seen) if self.spec.normalise else seen, await self._hosted.facts()]

    async def artefacts(self) -> dict[str, str]:
        parts = urlsplit(self.look.url)
        place = parts.path + (f"?{parts.query}" if parts.query else "")
        return {**await self._hosted.facts(), "answer": json.dumps(self.answer), "place": place}

    async def on_close(self) -> None:
        await super().on_close()
        await self._leave()

    async def _page(self) -> Content:
        content = await super()._page()
        if isinstance(content, str):
            return self._named(content)
        return tuple(Text(self._named(part.text)) if isinstance(part, Text) else part for part in content)

    def _allowed(self, url: str) -> str:
        """The real address for one under the site's name, or for a path."""
        url = url.strip()
        place = url.removeprefix(self.name) or "/"
        if place[0] not in "/?#":
            raise ToolError(f"{url[:200]!r} is not of this site; its addresses begin with {self.name}/")
        return super()._allowed(self._hosted.origin + place)

    def _named(self, text: str) -> str:
        return text.replace(self._hosted.origin, self.name)

    @property
    def _hosted(self) -> Site:
        assert self.site is not None
        return self.site

    async def _leave(self) -> None:
        site, self.site = self.site, None
        if site is not None:
            await site.close()


def _is_file(name: object, text: object) -> bool:
    return (
        isinstance(name, str) and isinstance(text, str) and name not in ("", ".", "..") and not {"/", "\0"} & set(name)
    )

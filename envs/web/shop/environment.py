"""ShopEnvironment: buy what somebody wants, in the shop. The episode ends with the first order."""

from __future__ import annotations

import asyncio

from agentgym.envs.web.browser.tab import Tab
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.config import ShopConfig
from agentgym.envs.web.shop.search import Index
from agentgym.envs.web.shop.site import ShopSite
from agentgym.envs.web.site.environment import HostedEnvironment


class ShopEnvironment(HostedEnvironment[ShopConfig]):
    """A task's payload: "goal", what is wanted in somebody's words; "start", where the shop is entered."""

    name = "http://shop.test"

    async def host(self) -> ShopSite:
        async def build() -> Index:
            return await asyncio.to_thread(lambda: Index(catalogue().products.values()))

        return await ShopSite.open(catalogue(), await self.runtime.resource(("web/shop", "index"), build))

    async def begin(self, tab: Tab) -> str:
        said = await super().begin(tab)
        return f"{said} Order one piece of what is wanted; the first order that is placed counts."

"""ShopApp: the shop of `web/shop-v0` on a small or a large screen, with its own books for the verdict."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from agentgym.envs.gui.tasks.app import App, Stuck, fill, find, tap
from agentgym.envs.gui.tasks.devices import Device
from agentgym.envs.gui.tasks.steps import Step
from agentgym.envs.web.browser.elements import Element, Look
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.search import Index
from agentgym.envs.web.shop.site import ShopSite

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_CART = re.compile(r"Cart \((\d+)\)")


class ShopApp(App):
    """The episode ends with the first order."""

    def __init__(self, site: ShopSite, product: str, chosen: dict[str, str]) -> None:
        self._site, self.origin = site, site.origin
        self._title, self._product, self._chosen = catalogue().products[product].title, product, chosen

    @classmethod
    async def host(cls, secret: dict[str, Any], runtime: Runtime) -> ShopApp:
        async def build() -> Index:
            return await asyncio.to_thread(lambda: Index(catalogue().products.values()))

        site = await ShopSite.open(catalogue(), await runtime.resource(("web/shop", "index"), build))
        return cls(site, secret["product"], secret["chosen"])

    def done(self, said: Any) -> str | None:
        return self._site.done()

    async def facts(self) -> dict[str, str]:
        return await self._site.facts()

    async def close(self) -> None:
        await self._site.close()

    def next_step(self, look: Look, path: str, device: Device) -> Step:
        full = any((found := _CART.fullmatch(each.name)) and int(found[1]) for each in look.elements)
        match path.strip("/").split("/")[0]:
            case "checkout":
                return tap(find(look, "button", "Place order"))
            case "cart" if full:
                return tap(find(look, "link", "Go to checkout"))
            case "item" if not full and path.endswith(self._product):
                return self._choose(look)
            case "search" if not full and any(
                each.role == "link" and each.name == self._title for each in look.elements
            ):
                return tap(find(look, "link", self._title))
            case _ if full:
                return tap(find(look, "link", "Cart", start=True))
        box = next((each for each in look.elements if each.role == "searchbox"), None)
        if box is None:
            raise Stuck("there is no search box")
        return Step("key", "Enter", why="start the search") if box.value == self._title else fill(box, self._title)

    def _choose(self, look: Look) -> Step:
        """Check what is wished in each group of options, then add to the cart."""
        option = ""
        for each in look.elements:
            if each.role in ("group", "Legend"):
                option = each.name.lower() or option
            if self._wished(option, each) and "checked" not in each.states:
                return tap(each)
        return tap(find(look, "button", "Add to cart"))

    def _wished(self, option: str, row: Element) -> bool:
        return row.role == "radio" and self._chosen.get(option) == row.name.partition(" (+")[0]

"""Where pages come from: npm packages, MiniWoB++, our shop. Which split a site is in, and how its pages are served and begun."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal, get_args
from urllib.parse import quote

from agentgym.envs.gui.screens.packages import PACKAGES, Package, fetch
from agentgym.envs.web.miniwob.names import NAMES
from agentgym.envs.web.miniwob.tasks import held_out
from agentgym.envs.web.miniwob.tasks import pages as miniwob_pages
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.search import Index
from agentgym.envs.web.shop.site import ShopSite
from agentgym.envs.web.static import StaticSite

Source = Literal["npm", "miniwob", "shop"]
SOURCES: tuple[Source, ...] = get_args(Source)
_SHOP_SPLIT = "test"
_SHOP_PAGES = 30
"""How many pages of the shop are taken; which ones differs from round to round."""
_BEGIN = """(() => {
  Math.seedrandom(%d); core.EPISODE_MAX_TIME = 1e7; core.startEpisodeReal(); core.clearTimer(); return () => true;
})()"""
_DRESS = "#reward-display,#click-canvas,#sync-task-cover{display:none!important}#query{visibility:hidden!important}"


@dataclass(slots=True, frozen=True)
class Page:
    """`site` names the source ("miniwob", "shop", or a package); `begin`: a script that starts it; `style`: CSS on top."""

    site: str
    path: str
    begin: str = ""
    style: str = ""

    @property
    def small(self) -> bool:
        """Whether it is made for a small window."""
        return self.site == "miniwob"


async def paths(split: str, sources: tuple[Source, ...]) -> list[tuple[str, str]]:
    """(site, path) of all pages of `split`, in a fixed order. Fetches packages. No site is in two splits; of MiniWoB++, no page."""
    found: list[tuple[str, str]] = []
    for package in PACKAGES if "npm" in sources else ():
        if package.split == split:
            found += [(package.name, path) for path in _html(await fetch(package), package)]
    if "miniwob" in sources:
        found += [("miniwob", name) for name in NAMES if held_out(name) == (split == "validation") and split != "test"]
    if "shop" in sources and split == _SHOP_SPLIT:
        found += [("shop", str(n)) for n in range(_SHOP_PAGES)]
    return found


def page_of(site: str, path: str, rng: Random) -> Page:
    """That page, with what `rng` decides of it: a seed of MiniWoB++'s, an address of the shop's."""
    if site == "miniwob":
        return Page(site, f"/miniwob/{path}.html", _BEGIN % rng.randrange(1 << 31), _DRESS)
    return Page(site, _shop_path(rng) if site == "shop" else f"/{quote(path)}")


@asynccontextmanager
async def served(page: Page, index: Index | None) -> AsyncIterator[tuple[str, list[str]]]:
    """A server of its own for `page`: its origin, and the paths that were asked for and are not there."""
    if page.site == "shop":
        assert index is not None
        shop = await ShopSite.open(await asyncio.to_thread(catalogue), index)
        try:
            yield shop.origin, []
        finally:
            await shop.close()
        return
    static = await StaticSite.open(await root_of(page.site))
    try:
        yield static.origin, static.missing
    finally:
        await static.close()


async def root_of(site: str) -> Path:
    """The folder that a site's pages are served from."""
    return miniwob_pages() if site == "miniwob" else await fetch(next(each for each in PACKAGES if each.name == site))


def _html(root: Path, package: Package) -> list[str]:
    found = {path.relative_to(root).as_posix() for glob in package.pages for path in root.glob(glob)}
    return sorted(path for path in found if not re.search(package.left_out, path))


@cache
def _products() -> list[str]:
    return sorted(catalogue().products)


def _shop_path(rng: Random) -> str:
    product = catalogue().products[rng.choice(_products())]
    match rng.randrange(4):
        case 0:
            return f"/item/{product.id}"
        case 1:
            return f"/search?q={quote(product.noun)}&page={rng.randint(1, 3)}"
        case 2:
            return f"/search?c={quote(product.category)}"
    return f"/search?q={quote(product.brand)}&sort=price-low"

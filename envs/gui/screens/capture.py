"""One page, looked at in one way: its picture and what is on it, or why it is not fit. Says nothing about samples."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from agentgym.envs.gui.screens.candidates import Candidate, read
from agentgym.envs.gui.screens.sources import Page, served
from agentgym.envs.gui.screens.variants import Variant
from agentgym.envs.web.browser.cdp import CallFailed, Late
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.tab import PageLost, Tab
from agentgym.envs.web.shop.search import Index
from agentgym.errors import SandboxError

_LOAD_MS, _CALM_MS, _LOOK_MS = 1_500, 1_000, 200
"""Virtual milliseconds: for loading, for charts to be drawn, between two looks."""
_LEAST_RULES = 10
_DRESS = """(() => {
  const root = document.documentElement, look = %s;
  if (look.dark) for (const name of ['data-bs-theme', 'data-theme']) root.setAttribute(name, 'dark');
  root.lang = look.language;
  if (look.language === 'ar') root.dir = 'rtl';
  scrollTo(0, Math.min(look.scroll * innerHeight, root.scrollHeight - innerHeight));
  return () => true;
})()"""


@dataclass(slots=True, frozen=True)
class Screen:
    """A picture (PNG) and all that is in view on it."""

    page: Page
    variant: Variant
    png: bytes
    candidates: tuple[Candidate, ...]


class Unfit(Exception):
    """This page, looked at like this, makes no screen; the message says why."""


async def capture(page: Page, variant: Variant, browsers: Browsers, index: Index | None) -> Screen:
    """Load, dress, look twice, take the picture. Raises Unfit, SandboxError (the browser died)."""
    async with served(page, index) as (origin, missing):
        profile = variant.profile(origin, page.style)
        session = await browsers.lease(profile)
        try:
            tab = session.tab
            await tab.open(origin + page.path, _LOAD_MS)
            if page.begin:
                await tab.plant(page.begin)
            screen = await look(page, variant, tab)
            if notes := [note for note in session.take_notes() if "did not" in note]:
                raise Unfit(notes[0].replace(origin, ""))
        except (CallFailed, Late, PageLost) as error:
            raise Unfit(str(error).replace(origin, "")) from None
        except SandboxError as error:
            if session.browser.alive:
                raise Unfit(str(error)) from None
            raise
        finally:
            await browsers.give_back(session)
    if lost := [path for path in missing if path != "/favicon.ico"]:
        raise Unfit(f"the site lacks {lost[0]}")
    return screen


async def look(page: Page, variant: Variant, tab: Tab) -> Screen:
    """Dress the page that is open in `tab`, look at it twice, and take its picture. Raises Unfit."""
    dress = {"dark": variant.dark, "language": variant.language, "scroll": variant.scroll}
    await tab.plant(_DRESS % json.dumps(dress))
    await tab.call("Runtime.evaluate", expression="document.fonts.ready.then(() => 1)", awaitPromise=True)
    await tab.settle(_CALM_MS)
    probe = await tab.plant(_extract())
    first = await tab.probe(probe)
    await tab.settle(_LOOK_MS)
    again = await tab.probe(probe)
    if first["rules"] < _LEAST_RULES:
        raise Unfit("the page has no styles")
    png = await tab.screenshot()
    size = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    if size != variant.size:
        raise Unfit(f"the picture is {size}, not {variant.size}")
    return Screen(page, variant, png, tuple(read(first["rows"], again["rows"])))


@cache
def _extract() -> str:
    return resources.files("agentgym.envs.gui.screens").joinpath("extract.js").read_text()

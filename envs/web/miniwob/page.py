"""A page of MiniWoB++: where it is served, how its episode is begun, and how its first verdict is kept from its own scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentgym.envs.web.browser.tab import Probe, Tab
from agentgym.envs.web.miniwob.tasks import pages
from agentgym.envs.web.static import StaticSite

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

WIDTH, HEIGHT = 332, 214
"""BrowserGym's viewport: the task has the left 160 pixels, pop-ups may take more."""
STYLE = "#reward-display,#click-canvas,#sync-task-cover{display:none!important}#query{visibility:hidden!important}"
_START = """(() => {
  let verdict = null;
  const end = core.endEpisode, begin = core.startEpisodeReal;
  core.endEpisode = function (reward, discounted, reason) {
    if (verdict === null && core.EP_TIMER !== null) {
      end.call(core, reward, discounted, reason);
      verdict = { raw: WOB_RAW_REWARD_GLOBAL, discounted: WOB_REWARD_GLOBAL, reason: String(reason || '') };
    }
  };
  core.setDataMode(%(mode)s);
  Math.seedrandom(%(seed)d);
  core.EPISODE_MAX_TIME = %(limit)d;
  begin.call(core);
  core.startEpisode = core.startEpisodeReal = () => {};
  core.clearTimer();
  const said = core.getUtterance();
  const goal = typeof said === 'string' ? said : said.utterance;
  const read = () => ({ goal, verdict });
  return read;
})()"""


async def site_of(runtime: Runtime) -> StaticSite:
    """The server of all pages, which ends with the runtime. Raises UsageError if the wheel is not installed."""

    async def serve() -> StaticSite:
        site = await StaticSite.open(pages())
        runtime.on_close(site.close)
        return site

    found: StaticSite = await runtime.resource(("web/miniwob", "site"), serve)
    return found


async def start(tab: Tab, place: str, seed: int, mode: str, limit_ms: int, settle_ms: int) -> tuple[Probe, str]:
    """Open the page at `place` and begin its episode; the probe, which says "goal" and "verdict" (None before there is one), and the goal."""
    tab.set_clock(0)
    await tab.open(place, settle_ms)
    probe = await tab.plant(_START % {"mode": json.dumps(mode), "seed": seed, "limit": limit_ms})
    await tab.settle(settle_ms)
    goal: str = (await tab.probe(probe))["goal"]
    return probe, goal

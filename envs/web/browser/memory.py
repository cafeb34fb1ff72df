"""A limit on what one page may hold, its pictures and buffers included: Chromium bounds only the heap of a page's scripts.

A renderer above the limit is ended, which its page's session hears of as a crash. Linux only: elsewhere nothing is watched.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym.envs.web.browser.cdp import CallFailed, Late
from agentgym.errors import SandboxError

if TYPE_CHECKING:
    from agentgym.envs.web.browser.chromium import Chromium

LIMIT_MB = 2_048
"""Resident, for one renderer: a page of an ordinary site has 20 to 200."""
_EVERY_S = 0.25


async def watch(browser: Chromium) -> None:
    """End renderers of `browser` that are too large, as long as it lives."""
    while browser.alive:
        with suppress(SandboxError, CallFailed, Late):
            said = await browser.call("SystemInfo.getProcessInfo")
            for each in said["processInfo"]:
                if each["type"] == "renderer" and resident_mb(each["id"]) > LIMIT_MB:
                    with suppress(ProcessLookupError):
                        os.kill(each["id"], signal.SIGKILL)
        await asyncio.sleep(_EVERY_S)


def resident_mb(pid: int) -> float:
    """What a process holds in memory; 0 if it is gone or the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0

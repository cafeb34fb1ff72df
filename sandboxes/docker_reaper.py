"""What a dead driver's boxes leave, and whose a container or a directory is: marks, and the sweep that reads them.

Containers end by themselves when their driver does, since their channel closes.  Left for the sweep are those that
were created and never started, whatever a daemon lost sight of, and the directory in which a driver waits for agents.  Another live driver's are never touched.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from agentgym.errors import SandboxError
from agentgym.sandboxes import folders
from agentgym.sandboxes.cgroup import started
from agentgym.sandboxes.docker_daemon import Daemon

_KIND = "link"
_RUN = "agentgym.run"
_OWNER = "agentgym.owner"
_HOST = "agentgym.host"
_CREATED = "agentgym.created"
_EXPIRES = "agentgym.expires"
_SLACK_S = 600.0
"""How far past its lifetime a box may be that nobody here can tell the owner of."""
_run = uuid4().hex
_swept: set[str] = set()


def labels(lifetime_s: float) -> dict[str, str]:
    """Whose a new container is, and when it is nobody's at the latest."""
    pid, now = os.getpid(), time.time()
    owner = f"{pid}:{started(pid)}"
    times = {_CREATED: f"{now:.0f}", _EXPIRES: f"{now + lifetime_s + _SLACK_S:.0f}"}
    return {_RUN: _run, _OWNER: owner, _HOST: folders.host(), **times}


def folder() -> str:
    """The name of this process's directory in the temporary one."""
    return folders.name(_KIND)


async def sweep_once(daemon: Daemon) -> None:
    """Sweep before this process's first box at that daemon."""
    if daemon.host not in _swept:
        _swept.add(daemon.host)
        await sweep(daemon)


async def sweep(daemon: Daemon) -> int:
    """Remove the containers, and in our temporary directory the directories, whose owner is dead. How many containers."""
    await asyncio.to_thread(folders.sweep, _KIND)
    removed = 0
    for container in await daemon.call("containers", all=True, filters={"label": _OWNER}):
        if _abandoned(container["Labels"]):
            with suppress(SandboxError):  # somebody else is removing it
                await daemon.call("remove_container", container["Id"], force=True, v=True)
                removed += 1
    return removed


def _abandoned(marks: dict[str, Any]) -> bool:
    """Whether nobody can be using it any more: its owner is dead, or can not be seen from here and its time is over."""
    if marks.get(_HOST) == folders.host():
        pid, _, since = marks[_OWNER].partition(":")
        return not pid.isdigit() or started(int(pid)) != since
    return time.time() > float(marks.get(_EXPIRES, "inf"))

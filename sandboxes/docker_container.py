"""A container that holds a box up: made, attached, started; watched until the daemon has removed it.

Its main process is the agent, on an attached stdin: the driver's death closes that, the agent leaves at once, and the
daemon removes the container.  Knows nothing of what is said to the agent (`channel`).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from agentgym.errors import SandboxError
from agentgym.sandboxes import cgroup
from agentgym.sandboxes.channel import Process
from agentgym.sandboxes.docker_daemon import Daemon
from agentgym.sandboxes.docker_frames import Demultiplexer
from agentgym.sandboxes.link import Link

_REMOVAL_S = 20.0
_HIDDEN = (
    *(f"/proc/{name}" for name in ("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug")),
    *(f"/proc/{name}" for name in ("scsi", "timer_list", "timer_stats")),  # so far Docker's own list
    "/sys",  # of the host: nothing that runs here needs to know its devices
    "/dev/mqueue",  # queues have no limit of ours, and outlive processes
)
_STREAMS = "stream=1&stdin=1&stdout=1&stderr=1"


def host_config(daemon: Daemon, walls: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK's host configuration, and what it has no argument for: paths to hide."""
    return {**daemon.api.create_host_config(**walls), "MaskedPaths": list(_HIDDEN)}


class Container(Process):
    """One container, from its creation to its removal. Its memory and its processes are counted by its cgroups."""

    memory_is_counted = True
    processes_are_counted = True

    def __init__(self, daemon: Daemon) -> None:
        self.name = f"agentgym-{uuid4().hex}"
        self._daemon = daemon
        self._reader: Demultiplexer | None = None
        self._link: Link | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._status: int | None = None
        self._started = False
        self._lost = False
        self.pid: int | None = None
        self._pidfd: int | None = None
        self._events: int | None = None

    @classmethod
    async def launch(cls, daemon: Daemon, image: str, config: Mapping[str, Any], walls: Mapping[str, Any]) -> Self:
        """Create and start it. `config` and `walls` are the SDK's arguments. SandboxError if that fails."""
        container = cls(daemon)
        try:
            hosted = host_config(daemon, walls) | {"AutoRemove": True}
            await daemon.call("create_container", image, name=container.name, host_config=hosted, **config)
            attached, _ = await daemon.stream(f"/containers/{container.name}/attach?{_STREAMS}", "Upgrade")
            container._link = await Link.open(attached)
            container._reader = Demultiplexer(container._link)
            line, said = await daemon.stream(f"/containers/{container.name}/wait?condition=removed", "close")
            container._watch = asyncio.create_task(container._wait_for_removal(line, said))
            await daemon.call("start", container.name)
            container._started = True
            container._find(await daemon.call("inspect_container", container.name))
        except BaseException:
            await asyncio.shield(container.end())
            raise
        return container

    async def open(self) -> tuple[Demultiplexer, Link]:
        if self._reader is None or self._link is None:
            raise SandboxError("this container was never started")
        return self._reader, self._link

    def oom_kills(self) -> int:
        return 0 if self._events is None else cgroup.oom_kills(self._events)

    def kill(self) -> None:
        if not self._kill_agent():
            self._daemon.submit("kill", self.name)

    async def wait(self, patience: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), patience)
        return self._ended.is_set()

    async def complaint(self) -> str:
        said = self._reader.stderr.decode("utf-8", "replace").strip() if self._reader is not None else ""
        if self._lost:
            return f"the Docker daemon at {self._daemon.host} went away. {said}".rstrip()
        return said or f"the container ended without a word, status {self._status}"

    async def host_failed(self) -> bool:
        return self._lost or not await self._daemon.answers()

    async def end(self) -> None:
        if self._link is not None:
            self._link.abort()
        if not self._started or not await self.wait(5.0):
            self._kill_agent()
            if await self._remove() and self._watch is not None:
                await self.wait(10.0)
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        for descriptor in (self._pidfd, self._events):
            if descriptor is not None:
                os.close(descriptor)
        self._pidfd = self._events = None

    async def _remove(self) -> bool:
        """Whether the daemon removed it when asked to. If not, it is gone, or going, or the daemon is."""
        removal = asyncio.wrap_future(self._daemon.submit("remove_container", self.name, force=True, v=True))
        removal.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, however late
        done, _ = await asyncio.wait([removal], timeout=_REMOVAL_S)
        return bool(done) and removal.exception() is None

    def _find(self, inspected: Mapping[str, Any]) -> None:
        """Its main process as this machine sees it, and what counts its memory, where both are in sight."""
        pid = int(inspected["State"]["Pid"])
        with suppress(OSError):
            self._pidfd = os.pidfd_open(pid)
            if inspected["Id"] in Path(f"/proc/{pid}/cgroup").read_text():
                self.pid, self._events = pid, cgroup.memory_events(pid)
                return
        if self._pidfd is not None:  # it is somebody else's: the daemon counts in another pid namespace
            os.close(self._pidfd)
            self._pidfd = None

    def _kill_agent(self) -> bool:
        """Kill the container's main process from here. Whether that was possible."""
        with suppress(OSError):
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
                return True
        return False

    async def _wait_for_removal(self, line: socket.socket, said: bytes) -> None:
        """The daemon answers when the container is gone; a connection that just ends means that the daemon is."""
        try:
            with line, suppress(OSError):
                while more := await asyncio.get_running_loop().sock_recv(line, 4096):
                    said += more
            status = re.search(rb'"StatusCode":\s*(\d+)', said)
            self._status = int(status[1]) if status else None
            if status is None:
                self._lost = True
                self._kill_agent()
        finally:
            self._ended.set()  # when cancelled, too: the loop is closing, and nobody will hear more

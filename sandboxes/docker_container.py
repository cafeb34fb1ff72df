"""A container that holds a box up: made, attached, started; watched until the daemon has removed it.

Its main process is the agent, on a socket of ours (`docker_link`) or, where that is out of its reach, on attached
streams: the driver's death closes either, the agent leaves at once, and the daemon removes the container.  Knows nothing of what is said to the agent (`channel`).
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
from agentgym.sandboxes.channel import Process, Reader
from agentgym.sandboxes.docker_daemon import Daemon
from agentgym.sandboxes.docker_frames import Demultiplexer
from agentgym.sandboxes.docker_link import TARGET, Listener
from agentgym.sandboxes.link import Link

_REMOVAL_S = 20.0
_LINK_S = 2.0
"""How long a started container's agent may take to connect to us."""
_WORDS_S = 0.5
_unlinked: set[str] = set()
"""The daemons whose containers can not."""
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
        self._attached: Link | None = None
        self._frames: Demultiplexer | None = None
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
        if daemon.host not in _unlinked and (listener := Listener.open()):
            try:
                shown = {"Type": "bind", "Source": str(listener.directory), "Target": TARGET, "ReadOnly": True}
                linked = {**walls, "mounts": [*walls["mounts"], shown]}
                return await cls._launch(daemon, image, config, linked, listener)
            except SandboxError as error:
                if str(listener.directory) not in str(error):
                    raise
                _unlinked.add(daemon.host)  # it can not show what is in our temporary directory
            finally:
                listener.close()
        return await cls._launch(daemon, image, config, walls, None)

    @classmethod
    async def _launch(
        cls,
        daemon: Daemon,
        image: str,
        config: Mapping[str, Any],
        walls: Mapping[str, Any],
        listener: Listener | None,
    ) -> Self:
        container = cls(daemon)
        try:
            hosted = host_config(daemon, walls) | {"AutoRemove": True}
            await daemon.call("create_container", image, name=container.name, host_config=hosted, **config)
            attached, _ = await daemon.stream(f"/containers/{container.name}/attach?{_STREAMS}", "Upgrade")
            container._attached = await Link.open(attached)
            container._frames = Demultiplexer(container._attached)
            line, said = await daemon.stream(f"/containers/{container.name}/wait?condition=removed", "close")
            container._watch = asyncio.create_task(container._wait_for_removal(line, said))
            await daemon.call("start", container.name)
            container._started = True
            container._find(await daemon.call("inspect_container", container.name))
            if listener is not None:
                await container._meet(listener)
        except BaseException:
            await asyncio.shield(container.end())
            raise
        return container

    async def open(self) -> tuple[Reader, Link]:
        if self._link is not None:
            return self._link, self._link
        if self._frames is None or self._attached is None:
            raise SandboxError("this container was never started")
        return self._frames, self._attached

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
        said = await self._frames.last_words(_WORDS_S) if self._frames is not None else ""
        if self._lost:
            return f"the Docker daemon at {self._daemon.host} went away. {said}".rstrip()
        return said or f"the container ended without a word, status {self._status}"

    async def host_failed(self) -> bool:
        return self._lost or not await self._daemon.answers()

    async def end(self) -> None:
        self._hang_up()
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

    async def _meet(self, listener: Listener) -> None:
        """Take the agent's connection. If none comes, this daemon's agents are not waited for again."""
        try:
            async with asyncio.timeout(_LINK_S):
                connected = await listener.accept(self.pid)
        except TimeoutError:
            if not self._ended.is_set():
                _unlinked.add(self._daemon.host)
            return
        finally:
            listener.close()  # an agent that has come too late finds a closed door, or is hung up on
        self._link = await Link.open(connected)

    def _hang_up(self) -> None:
        for link in (self._link, self._attached):
            if link is not None:
                link.abort()

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
                self._hang_up()  # an agent that we can not kill from here leaves at this
        finally:
            self._ended.set()  # when cancelled, too: the loop is closing, and nobody will hear more

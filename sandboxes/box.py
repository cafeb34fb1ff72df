"""A box of a zygote, as its driver sees it: our end of its agent's channel, its process, its memory cgroup.

Ear is for what a new box says before there is an agent to talk to.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from agentgym.sandboxes import cgroup
from agentgym.sandboxes.channel import Process
from agentgym.sandboxes.link import Link

if TYPE_CHECKING:
    from agentgym.sandboxes.zygote import Zygote

_CREDENTIALS = struct.Struct("iII")


class Box(Process):
    """A box of a zygote: our end of the agent's stdin and stdout, its process, its memory cgroup."""

    def __init__(self, zygote: Zygote, channel: socket.socket, pid: int, group: cgroup.MemoryGroup | None) -> None:
        self.zygote, self.pid, self._socket, self.group = zygote, pid, channel, group
        self.memory_is_counted = group is not None
        self._pidfd = os.pidfd_open(pid)
        self._exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pidfd, self._exit)

    async def open(self) -> tuple[Link, Link]:
        link = await Link.open(self._socket)
        return link, link

    def oom_kills(self) -> int:
        return self.group.oom_kills() if self.group is not None else 0

    def kill(self) -> None:
        if not self._exited.is_set():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    async def wait(self, patience: float) -> bool:
        if not self._exited.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._exited.wait()
        return self._exited.is_set()

    async def complaint(self) -> str:
        return "its agent is gone"

    async def host_failed(self) -> bool:
        return not await asyncio.to_thread(self.zygote.alive)

    async def end(self) -> None:
        self._socket.close()  # if it was never opened; the agent leaves by itself
        if not await self.wait(2.0):
            self.kill()
            await self.wait(10.0)
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        if self.group is not None and not self.zygote.groups.take_back(self.group):
            await asyncio.to_thread(self.group.remove)
        self.zygote.give_back()

    def _exit(self) -> None:
        """The kernel says so when the box's first process is dead, and lets that be the last of the box to die."""
        self._loop.remove_reader(self._pidfd)
        self._exited.set()


Message = tuple[bytes, list[tuple[int, int, bytes]], int, Any]


class Ear:
    """What a new box says before there is a Link: each message with who sent it."""

    def __init__(self, source: socket.socket) -> None:
        self.source = source
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self.source.fileno(), self._ready.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self.source.fileno())

    async def hear(self, most: int) -> Message:
        """The next message, in at most so many bytes. ConnectionError if the box is gone."""
        while True:
            self._ready.clear()
            with suppress(BlockingIOError):
                message = self.source.recvmsg(most, socket.CMSG_SPACE(_CREDENTIALS.size))
                if not message[0]:
                    raise ConnectionError("the zygote ended")
                return message
            await self._ready.wait()


def sender(message: Message) -> int:
    """Which process said it, as we number processes."""
    pid: int = _CREDENTIALS.unpack(message[1][0][2])[0]
    return pid

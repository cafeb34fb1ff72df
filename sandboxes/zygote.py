"""A zygote: one bwrap that makes boxes on demand. A box as its driver sees it is `box`.

The bwrap is entered once for a set of mounts and shared by all boxes with these; each box has process, mount, network,
IPC and user namespaces of its own (`agent/boxes.c`).  A zygote without boxes ends after a while; it ends with its
driver in any case, and every box with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Self

from agentgym.errors import SandboxError
from agentgym.sandboxes import archive, cgroup, launch
from agentgym.sandboxes.agent_sandbox import memory_limit
from agentgym.sandboxes.box import Box, Ear, sender
from agentgym.sandboxes.launch import Mounts
from agentgym.sandboxes.sandbox import SandboxSpec
from agentgym.sandboxes.uids import Uid
from agentgym.sandboxes.workspaces import Tree

IDLE_S = 30.0
"""How long a zygote without boxes is kept."""
_PATIENCE_S = 60.0
_BASES = 32
"""How many workspaces a zygote keeps for the next box that begins with one of them."""
_NUMBERS = 256
"""They are numbered in a circle: a number is not used again while boxes may be in the making that were to have it."""

_zygotes: dict[asyncio.AbstractEventLoop, dict[Hashable, asyncio.Future[Zygote]]] = {}


async def make_box(spec: SandboxSpec, base: Tree) -> Box:
    """A new box with its agent, over `base`. Raises SandboxError with what to do if there can be none."""
    for attempt in range(2):
        zygote = await _shared(spec.mounts)
        try:
            return await zygote.make(spec, base)
        except ConnectionError:
            if await asyncio.to_thread(zygote.alive):
                raise SandboxError("a box died while it was made, and said nothing") from None
            # the zygote ended: somebody killed it, or its idle time was over just now
            complaint = zygote.close()
            if attempt:
                raise SandboxError(f"a box can not be started: {complaint}") from None
        except OSError as error:
            raise SandboxError(f"a box can not be started: {error}") from error
    raise AssertionError("unreachable")


async def _shared(mounts: Mounts) -> Zygote:
    """The zygote of this loop for these mounts, made if there is none."""
    here = _of_this_loop()
    key = tuple((source, target, *_identity(source)) for source, target in mounts)
    while True:
        known = here.get(key)
        if known is None:
            known = here[key] = asyncio.ensure_future(Zygote.launch(mounts))
        try:
            zygote = await asyncio.shield(known)
        except BaseException:
            if here.get(key) is known and known.done() and (known.cancelled() or known.exception()):
                del here[key]
            raise
        if not zygote.closed:
            return zygote
        if here.get(key) is known:
            del here[key]


def _identity(source: Path) -> tuple[int, int]:
    """Which file a path means now: a zygote shows what it meant when that was launched."""
    status = os.stat(source)
    return status.st_dev, status.st_ino


def _of_this_loop() -> dict[Hashable, asyncio.Future[Zygote]]:
    """This loop's zygotes; those of loops that are closed are ended."""
    for loop in [each for each in _zygotes if each.is_closed()]:
        for known in _zygotes.pop(loop).values():
            if (zygote := _launched(known)) is not None:
                zygote.close()
    return _zygotes.setdefault(asyncio.get_running_loop(), {})


def _launched(known: asyncio.Future[Zygote]) -> Zygote | None:
    return known.result() if known.done() and not known.cancelled() and known.exception() is None else None


def end_idle() -> None:
    """End this loop's zygotes that have no box."""
    here = _of_this_loop()
    for key, known in list(here.items()):
        zygote = _launched(known)
        if zygote is not None and not zygote.boxes:
            zygote.close()
            del here[key]


class Zygote:
    """A bwrap process with a uid of its own. The constructor blocks for some milliseconds; `launch` runs it in a thread.

    bwrap's `--die-with-parent` means that thread: one of the loop's own executor, which lives as long as the loop does.
    """

    def __init__(self, mounts: Mounts) -> None:
        with ExitStack() as undo:
            self._uid = undo.enter_context(closing(Uid())) if os.geteuid() == 0 else None
            pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control, inside = map(undo.enter_context, pair)
            self._stderr = os.memfd_create("stderr", os.MFD_CLOEXEC)
            undo.callback(os.close, self._stderr)
            self._popen = launch.start(
                mounts, self._uid, launch.AGENT, stdin=inside, stdout=subprocess.DEVNULL, stderr=self._stderr
            )
            undo.pop_all()
        inside.close()
        self.closed = False
        self.boxes = 0
        self._idle: asyncio.TimerHandle | None = None
        self._bases: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._number = 0
        self._last_words = ""
        self.groups = cgroup.Groups()

    @classmethod
    async def launch(cls, mounts: Mounts) -> Self:
        try:
            zygote = await asyncio.to_thread(cls, mounts)
            zygote._arm()
            return zygote
        except OSError as error:
            raise SandboxError(f"a box can not be started: {await asyncio.to_thread(launch.probe) or error}") from error

    @property
    def uid(self) -> int:
        """Whose all its boxes are, on the host."""
        return self._uid.number if self._uid else os.geteuid()

    async def make(self, spec: SandboxSpec, base: Tree) -> Box:
        """A box. ConnectionError if this zygote has ended, SandboxError if the box can not be made."""
        self._lease()
        ours, its = socket.socketpair()
        try:
            with its:
                ours.setblocking(False)
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                request = f"box {launch.sizes(spec)} {self._number_of(base, spec.limits.disk_bytes)}"
                socket.send_fds(self._control, [request.encode()], [its.fileno()])
            async with asyncio.timeout(_PATIENCE_S), Ear(ours) as ear:
                first = await ear.hear(1)
                if first[0] != launch.READY:
                    raise SandboxError(f"a box can not be started: {launch.explain((await ear.hear(4000))[0])}")
                group = await self._counted(sender(first), spec, base, ear)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
            try:
                return Box(self, ours, sender(first), group)
            except BaseException:
                if group is not None:
                    group.remove()
                raise
        except BaseException as error:
            ours.close()
            self.give_back()
            if isinstance(error, TimeoutError):
                raise SandboxError(f"a box was not made within {_PATIENCE_S:g} s") from None
            raise

    async def _counted(self, pid: int, spec: SandboxSpec, base: Tree, ear: Ear) -> cgroup.MemoryGroup | None:
        """See the new box made, and its memory counted, which takes as long: both at once."""
        loop = asyncio.get_running_loop()
        counting = loop.run_in_executor(None, self.groups.confine, pid, memory_limit(spec.limits))
        try:
            said, *_ = await ear.hear(4000)
            if said != launch.READY:
                what = ""
                if b"workspace" in said:
                    self._forget(base, spec.limits.disk_bytes)
                    what = f" (limits.disk_bytes is {spec.limits.disk_bytes})"
                raise SandboxError(f"a box can not be started: {launch.explain(said)}{what}")
            try:
                return await asyncio.shield(counting)
            except OSError as error:
                raise SandboxError(f"the box's memory can not be bounded: {error}") from error
        except BaseException:
            ear.source.shutdown(socket.SHUT_RDWR)  # so that it dies
            await asyncio.shield(asyncio.create_task(_undo(counting)))
            raise

    def _number_of(self, base: Tree, room: int) -> int:
        """By which the zygote knows a base; it is told of those that it does not know yet. 0 is the empty one."""
        if base.size == len(archive.EMPTY):
            return 0
        key = base.digest, room
        if key in self._bases:
            self._bases.move_to_end(key)
            return self._bases[key]
        if len(self._bases) == _BASES:
            self._forget_number(self._bases.popitem(last=False)[1])
        taken = set(self._bases.values())
        self._number = next(n for n in (*range(self._number + 1, _NUMBERS), *range(1, _NUMBERS)) if n not in taken)
        with base.open() as stream:
            socket.send_fds(self._control, [f"base {self._number} {room}".encode()], [stream.fileno()])
        self._bases[key] = self._number
        return self._number

    def _forget(self, base: Tree, room: int) -> None:
        if number := self._bases.pop((base.digest, room), 0):
            self._forget_number(number)

    def _forget_number(self, number: int) -> None:
        self._control.send(f"drop {number}".encode())

    def _lease(self) -> None:
        self.boxes += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def give_back(self) -> None:
        """One of its boxes is gone."""
        self.boxes -= 1
        if self.boxes == 0 and not self.closed:
            self._arm()

    def _arm(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._end)

    def _end(self) -> None:
        self.close()

    def alive(self) -> bool:
        """Whether it still runs, a moment being given to one that is about to end."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(0.1)
        return not self.closed and self._popen.poll() is None

    def close(self) -> str:
        """End it, and its boxes. What bwrap, or what comes before it, wrote on stderr, with a remedy where it is known.

        Idempotent.
        """
        if not self.closed:
            self.closed = True
            self._control.close()
            self._popen.kill()
            self._popen.wait()
            self.groups.close()
            self._last_words = launch.explain(os.pread(self._stderr, 4000, 0))
            os.close(self._stderr)
            if self._uid is not None:
                self._uid.close()
        return self._last_words

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.close()


async def _undo(counting: asyncio.Future[cgroup.MemoryGroup | None]) -> None:
    with suppress(OSError):
        if (group := await counting) is not None:
            await asyncio.to_thread(group.remove)

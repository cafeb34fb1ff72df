"""One conversation with the agent of one box: a request, perhaps a stream either way, a reply; all with a deadline.

Trusts nothing that comes back: sizes are bounded and frames checked.  Whatever goes wrong on the way, a cancelled
caller included, leaves the two ends out of step, so it ends the box.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import IO, Protocol, Self

from agentgym.errors import Fault, SandboxError, UsageError
from agentgym.sandboxes import wire

_SLACK = 1 << 13
"""What a reply's small fields and lengths can come to."""


class Refused(OSError):
    """The agent could not do it: the operating system in the box said no."""


class _Over(Exception):
    """The box has lived past its limits: not the doing of whoever is in it."""


class Reader(Protocol):
    """What the agent says."""

    async def readexactly(self, n: int, /) -> bytes:
        """n bytes. EOFError or ConnectionError if they do not come."""
        ...


class Writer(Protocol):
    """What the agent is told. A Link is one, and a Reader, too."""

    def write(self, data: bytes, /) -> None: ...

    async def drain(self) -> None: ...

    def abort(self) -> None:
        """Hang up at once."""
        ...


class Sink(Protocol):
    """Where a stream from the agent goes, unread."""

    def write(self, data: bytes, /) -> object: ...


class Process(ABC):
    """What holds a box up: a process or a container whose main process is the agent."""

    memory_is_counted: bool
    """Whether the memory of all the box's processes together is bounded; else it must be bounded for each."""
    processes_are_counted = False
    """Whether the box's processes are bounded by themselves; else they are bounded as those of the box's user."""

    @abstractmethod
    async def open(self) -> tuple[Reader, Writer]:
        """The two ends of the agent's standard output and input. Once."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the agent, and so every process of the box. Does not wait."""

    @abstractmethod
    async def wait(self, patience: float) -> bool:
        """Whether the box has ended, at the latest after `patience` seconds."""

    @abstractmethod
    async def complaint(self) -> str:
        """Its last words, in a form for people."""

    @abstractmethod
    def oom_kills(self) -> int:
        """How many of the box's processes the kernel has killed for memory; 0 where nobody counts."""

    async def host_failed(self) -> bool:
        """Whether a box that has just died was let down by what holds it up, a daemon say."""
        return False

    @abstractmethod
    async def end(self) -> None:
        """See everything of the box gone. The streams are closed already. Never raises for a dead box."""


class Channel:
    """The driver's side. `dead` says why, once it is."""

    def __init__(self, process: Process, reader: Reader, writer: Writer) -> None:
        self.process, self._reader, self._writer = process, reader, writer
        self.dead: str | None = None
        self.layered = False
        """Whether changes to the workspace lie in a layer over what it began with: the agent says so when greeted."""
        self._busy = False
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, process: Process) -> Self:
        try:
            reader, writer = await process.open()
        except BaseException:
            await process.end()
            raise
        return cls(process, reader, writer)

    def ensure_alive(self) -> None:
        if self.dead is not None:
            raise SandboxError(f"this box is dead: {self.dead}")

    async def call(
        self,
        *request: bytes | int | float,
        cap: int = 0,
        deadline: float = 60.0,
        feed: IO[bytes] | None = None,
        sink: Sink | None = None,
        fault: Fault = "ambiguous",
    ) -> list[bytes]:
        """The reply's fields. `feed` is streamed to the agent first; `sink` takes the parts that it streams back.

        What comes back, parts and all, is at most `cap` bytes.
        Refused if the agent says so; SandboxError with `fault` if the box dies over it.
        """
        self.ensure_alive()
        if self._busy:
            raise UsageError("a sandbox does one call at a time: await the one before")
        self._busy = True
        try:
            async with asyncio.timeout(deadline):
                return await self._converse(request, cap, feed, sink)
        except Refused:
            raise
        except BaseException as error:
            why = await self._kill(error, deadline)
            if not isinstance(error, Exception):
                raise
            ours = isinstance(error, _Over) or _is_the_drivers(error) or await self.process.host_failed()
            raise SandboxError(why, "infrastructure" if ours else fault) from error
        finally:
            self._busy = False

    async def close(self) -> None:
        """Everything of the box gone. Idempotent, and finished even if the caller is cancelled."""
        if self._closing is None:
            self.dead = self.dead or "it was closed"
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _converse(
        self, request: tuple[bytes | int | float, ...], cap: int, feed: IO[bytes] | None, sink: Sink | None
    ) -> list[bytes]:
        self._writer.write(wire.encode(request))
        await self._writer.drain()
        if feed is not None:
            while data := feed.read(wire.CHUNK):
                self._writer.write(wire.encode([data]))
                await self._writer.drain()
            self._writer.write(wire.encode([b""]))
        while True:
            verdict, *fields = await self._receive((min(cap, wire.CHUNK) if sink else cap) + _SLACK)
            if verdict == b"part" and sink is not None and len(fields[0]) <= cap:
                cap -= len(fields[0])
                sink.write(fields[0])
            elif verdict == b"ok":
                return fields
            elif verdict == b"error":
                raise Refused(int(fields[0]), fields[1].decode("utf-8", "replace"))
            elif verdict == b"over":
                raise _Over
            else:
                raise ValueError("an unknown kind of reply")

    async def _receive(self, cap: int) -> list[bytes]:
        header = await self._reader.readexactly(wire.HEADER)
        return wire.decode(await self._reader.readexactly(wire.length(header, cap)))

    async def _kill(self, error: BaseException, deadline: float) -> str:
        """End the box at once. Why it had to be, in words."""
        if isinstance(error, EOFError | ConnectionError):
            # it is dying by itself: a moment, so that it can leave its exit status and last words
            await asyncio.shield(self.process.wait(1.0))
            self.dead = await self.process.complaint()
        elif isinstance(error, _Over):
            self.dead = "it lived past its limits' lifetime_s"
        elif isinstance(error, TimeoutError):
            self.dead = f"its agent did not answer within {deadline:g} s"
        elif isinstance(error, asyncio.CancelledError):
            self.dead = "a call was cancelled half-way"
        elif _is_the_drivers(error):
            self.dead = f"its driver failed ({error!r})"
        else:
            self.dead = f"its agent broke the protocol ({error!r})"
        self.process.kill()
        return f"the box died: {self.dead}"

    async def _close(self) -> None:
        self._writer.abort()
        await self.process.end()


def _is_the_drivers(error: BaseException) -> bool:
    """Whether it happened on this side of the wall: a full disk under a snapshot, say."""
    return isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)

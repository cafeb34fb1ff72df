"""A Link: both ends of an agent's streams over one socket, for a caller that asks and waits, one request at a time.

Not asyncio's streams: those do the same with more calls a byte, which shows where a whole command takes a millisecond.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Self


class Link(asyncio.Protocol):
    """What comes in is held until asked for; the peer may be far ahead by what the buffer takes, and no more."""

    HELD = 1 << 20

    def __init__(self) -> None:
        self._held = bytearray()
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._paused = False
        self._room = asyncio.Event()
        self._room.set()
        self.transport: asyncio.Transport

    @classmethod
    async def open(cls, sock: socket.socket) -> Self:
        """A link over a connected socket, which is the link's from now on."""
        _, link = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        return link

    async def readexactly(self, n: int) -> bytes:
        """The next n bytes; EOFError if the peer hangs up before."""
        while len(self._held) < n:
            if self._ended:
                raise EOFError("the peer hung up")
            self._wanted = n
            self._resume()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._wanted = 0
        data = bytes(self._held[:n])
        del self._held[:n]
        return data

    def write(self, data: bytes) -> None:
        """Send, in the background if need be."""
        self.transport.write(data)

    async def drain(self) -> None:
        """Wait until not too much is waiting to be sent. ConnectionError if it never will be."""
        if self._ended:
            raise ConnectionResetError("the peer hung up")
        await self._room.wait()

    def abort(self) -> None:
        """Hang up at once. Idempotent."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        if len(self._held) >= self._wanted:
            self._wake()
            if len(self._held) > self.HELD and not self._paused:
                self._paused = True
                self.transport.pause_reading()

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._room.set()
        self._wake()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""What a container says over an attached connection: Docker's frames taken apart, stdout for the channel, stderr kept.

Without a terminal Docker sends both streams over one connection, each piece with a header of eight bytes: which stream,
three zeros, the length.  Not the agent's own frames (`wire`): those are inside, cut anywhere.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress

from agentgym.sandboxes.channel import Reader

_HEADER = struct.Struct(">BxxxI")
_STDOUT, _STDERR = 1, 2
_LARGEST = 1 << 20
_KEPT = 4000


class Demultiplexer:
    """A channel's Reader over an attached connection. `stderr` holds the first words said there."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self.stderr = b""

    async def readexactly(self, n: int, /) -> bytes:
        """n bytes of the container's stdout. EOFError or ConnectionError if they do not come."""
        while len(self._buffer) < n:
            await self._frame()
        data = bytes(self._buffer[:n])
        del self._buffer[:n]
        return data

    async def last_words(self, patience: float) -> str:
        """What stderr holds at the end, or after `patience` seconds; for when nobody reads any more."""
        with suppress(EOFError, ConnectionError, ValueError, TimeoutError):
            async with asyncio.timeout(patience):
                while len(self.stderr) < _KEPT:
                    await self._frame()
                    self._buffer.clear()
        return self.stderr.decode("utf-8", "replace").strip()

    async def _frame(self) -> None:
        kind, size = _HEADER.unpack(await self._stream.readexactly(_HEADER.size))
        if kind not in (_STDOUT, _STDERR) or size > _LARGEST:
            raise ValueError(f"not a frame of an attached container: stream {kind}, {size} bytes")
        data = await self._stream.readexactly(size)
        if kind == _STDOUT:
            self._buffer += data
        elif len(self.stderr) < _KEPT:
            self.stderr += data[: _KEPT - len(self.stderr)]

"""A door for programs that live long in a box and talk: their standard input and output are a socket of the driver's.

`Sandbox.exec` runs a command to its end and says then what it wrote; a prover or a debugger is asked and answers many
times.  Not a protocol: bytes go both ways as they are, and nothing passes on what the program says.  A door is a folder
with a listening socket, mounted into boxes; a program comes through it by a few lines of Python that turn into it, and
shows a word that only its box was given.  Any backend that mounts folders will do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from agentgym.errors import SandboxError
from agentgym.sandboxes import folders
from agentgym.sandboxes.sandbox import ExecResult, Sandbox

INSIDE = "/opt/door"
"""Where a box shows the door's folder."""
MOST = 64 << 20
"""How many bytes of a program are held unread: one that says more is hung up on."""
_KIND = "door"
_READ_BYTES = 1 << 16
_SOCKET = "socket"
_WORD_BYTES = 32
_PATIENCE_S = 60.0
_CREDENTIALS = struct.Struct("3i")

_ENTER = f"""
import os, resource, socket, sys
word = sys.stdin.buffer.read({_WORD_BYTES})
for each in sys.argv[1].split():
    name, most = each.split("=")
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (int(most), int(most)))
door = socket.socket(socket.AF_UNIX)
door.connect("{INSIDE}/{_SOCKET}")
door.sendall(word)
for stream in (0, 1):
    os.dup2(door.fileno(), stream)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Line(asyncio.BufferedProtocol):
    """What one program says, held until asked for. `pid`: its number on this machine, 0 where that can not be told."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._heard = memoryview(bytearray(_READ_BYTES))
        self._held = bytearray()
        self._word: bytes | None = None
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport
        self.pid = 0

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def until(self, marker: bytes, count: int = 1) -> bytes:
        """Everything up to the `count`-th `marker` and with it. EOFError if the program ends, or says too much, before."""
        found, at = 0, 0
        while True:
            while found < count and (place := self._held.find(marker, at)) >= 0:
                found, at = found + 1, place + len(marker)
            if found == count:
                said = bytes(self._held[:at])
                del self._held[:at]
                return said
            if self._ended:
                raise EOFError("the program hung up")
            at = max(at, len(self._held) - len(marker) + 1)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        with contextlib.suppress(OSError, AttributeError):
            source: socket.socket = transport.get_extra_info("socket")
            credentials = source.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            self.pid = _CREDENTIALS.unpack(credentials)[0]

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._heard

    def buffer_updated(self, nbytes: int) -> None:
        self._held += self._heard[:nbytes]
        if len(self._held) > MOST:
            self._transport.abort()
        if self._word is None:
            self._introduce()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._wake()

    def _introduce(self) -> None:
        if len(self._held) >= _WORD_BYTES:
            self._word = bytes(self._held[:_WORD_BYTES])
            del self._held[:_WORD_BYTES]
            self._door.entered(self._word, self)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Talk:
    """A program at work in a box. `line` is what it says and hears; `ended` is done when it is, as `exec` tells it."""

    def __init__(self, box: Sandbox, line: Line, ended: asyncio.Task[ExecResult]) -> None:
        self.box, self.line, self.ended = box, line, ended

    async def close(self) -> None:
        """End the program and its box. Idempotent."""
        self.line.abort()
        await self.box.close()
        await asyncio.wait([self.ended])
        with contextlib.suppress(asyncio.CancelledError):
            self.ended.exception()


class Door:
    """A listening socket in a folder of its own. One does for all boxes of a driver. Made by `open`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._expected: dict[bytes, asyncio.Future[Line]] = {}
        self._server: asyncio.Server

    @classmethod
    async def open(cls) -> Self:
        await asyncio.to_thread(folders.sweep, _KIND)  # of drivers that were killed
        folder = Path(tempfile.mkdtemp(prefix=f"{folders.name(_KIND)}-"))
        os.chmod(folder, 0o755)  # boxes run under other uids; what keeps strangers out is the word
        door = cls(folder)
        path = folder / _SOCKET
        door._server = await asyncio.get_running_loop().create_unix_server(lambda: Line(door), path)
        os.chmod(path, 0o666)
        return door

    @property
    def mount(self) -> tuple[Path, str]:
        """For `SandboxSpec.mounts`."""
        return self._folder, INSIDE

    async def start(
        self, box: Sandbox, argv: Sequence[str], *, env: Mapping[str, str] | None = None, rlimits: Mapping[str, int]
    ) -> Talk:
        """Run `argv` in `box`, which has this door's mount and nothing else to do, and is the talk's from now on.

        `rlimits` by name without RLIMIT_, for example {"AS": 1 << 30}.  Raises SandboxError if it does not come.
        """
        word = secrets.token_hex(_WORD_BYTES // 2).encode()
        came = self._expected[word] = asyncio.get_running_loop().create_future()
        limits = " ".join(f"{name}={most}" for name, most in rlimits.items())
        command = ["python3", "-I", "-S", "-c", _ENTER, limits, *argv]
        ended = asyncio.ensure_future(box.exec(command, env=env, stdin=word, timeout=float("inf")))
        try:
            await asyncio.wait([came, ended], timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if not came.done():
                raise SandboxError(f"{argv[0]} did not start in its box: {_why(ended)}")
            return Talk(box, came.result(), ended)
        except BaseException:
            await box.close()
            await asyncio.wait([ended])
            ended.cancelled() or ended.exception()
            raise
        finally:
            self._expected.pop(word, None)

    def entered(self, word: bytes, line: Line) -> None:
        """Somebody is at the door: let in who was expected."""
        expected = self._expected.pop(word, None)
        if expected is None or expected.done():
            line.abort()
        else:
            expected.set_result(line)

    async def close(self) -> None:
        """Shut the door. Idempotent. Lines that are open go on."""
        self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _why(ended: asyncio.Task[ExecResult]) -> str:
    if not ended.done():
        return f"nothing came within {_PATIENCE_S:g} s"
    if error := ended.exception():
        return str(error)
    done = ended.result()
    return f"exit code {done.exit_code}: {done.stderr[-500:].decode('utf-8', 'replace').strip()}"

"""A door for programs that live long in a box and talk: their standard input and output are pipes of the driver's.

`Sandbox.exec` runs a command to its end and says then what it wrote; a prover or a debugger is asked and answers many
times.  Not a protocol: bytes go both ways as they are, and nothing passes on what the program says.  A door is a folder
with a listening socket, mounted into boxes; a program comes to it by a few lines of Python that turn into it, shows a
word that only its box was given, and is handed two pipes.  Any backend that mounts folders will do.
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
_QUEUE = 100
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
hears, says = socket.recv_fds(door, 1, 2)[1]
for pipe, stream in ((hears, 0), (says, 1)):
    os.dup2(pipe, stream)
    os.close(pipe)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Line:
    """What one program says, held until asked for. `pid`: its number on this machine, 0 where that can not be told.

    Two pipes, read by hand: a prover answers in five pieces within a millisecond, and who waits is woken by the last only.
    """

    def __init__(self, hears: int, says: int, pid: int) -> None:
        """`hears`, `says`: what to write to and to read from, which are the line's from now on."""
        self.pid = pid
        self._in, self._out = hears, says
        self._held, self._unsent = bytearray(), bytearray()
        self._marker, self._missing, self._at = b"", 0, 0
        self._ended = self._blocked = False
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        for end in (hears, says):
            os.set_blocking(end, False)
        self._loop.add_reader(says, self._hear)

    def write(self, data: bytes) -> None:
        """Say `data`, at once or as the program listens. Once it has hung up nothing is said."""
        self._unsent += data
        if not self._blocked:
            self._send()

    async def until(self, marker: bytes, count: int = 1) -> bytes:
        """Everything up to the `count`-th `marker` and with it. EOFError if the program ends, or says too much, before."""
        self._marker, self._missing, self._at = marker, count, 0
        if not self._whole() and not self._ended:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._missing:
            raise EOFError("the program hung up")
        said = bytes(memoryview(self._held)[: self._at])
        del self._held[: self._at]
        return said

    def abort(self) -> None:
        """Hang up. Idempotent."""
        if not self._ended:
            self._ended = True
            self._loop.remove_reader(self._out)
            self._loop.remove_writer(self._in)
            os.close(self._out)
            os.close(self._in)
            self._wake()

    def _hear(self) -> None:
        try:
            said = os.read(self._out, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        self._held += said
        if not said or len(self._held) > MOST:
            self.abort()
        elif self._missing and self._whole():
            self._wake()

    def _send(self) -> None:
        """What is left to say; the rest when the program has listened to some of it."""
        if self._ended:
            return
        try:
            del self._unsent[: os.write(self._in, self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # it has hung up, as will be heard
        if self._unsent and not self._blocked:
            self._loop.add_writer(self._in, self._send)
        elif self._blocked and not self._unsent:
            self._loop.remove_writer(self._in)
        self._blocked = bool(self._unsent)

    def _whole(self) -> bool:
        """Whether all that is waited for has come; goes on where it stopped to look."""
        while self._missing and (place := self._held.find(self._marker, self._at)) >= 0:
            self._missing, self._at = self._missing - 1, place + len(self._marker)
        if self._missing:
            self._at = max(self._at, len(self._held) - len(self._marker) + 1)
        return not self._missing

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

    def __init__(self, folder: Path, listening: socket.socket) -> None:
        self._folder, self._listening = folder, listening
        self._expected: dict[bytes, asyncio.Future[Line]] = {}
        self._guests: set[asyncio.Future[None]] = set()
        asyncio.get_running_loop().add_reader(listening, self._knocked)

    @classmethod
    async def open(cls) -> Self:
        await asyncio.to_thread(folders.sweep, _KIND)  # of drivers that were killed
        folder = Path(tempfile.mkdtemp(prefix=f"{folders.name(_KIND)}-"))
        os.chmod(folder, 0o755)  # boxes run under other uids; what keeps strangers out is the word
        listening = socket.socket(socket.AF_UNIX)
        listening.setblocking(False)
        listening.bind(str(folder / _SOCKET))
        os.chmod(folder / _SOCKET, 0o666)
        listening.listen(_QUEUE)
        return cls(folder, listening)

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

    def _knocked(self) -> None:
        with contextlib.suppress(OSError):  # who has gone away again
            guest, _ = self._listening.accept()
            welcome = asyncio.ensure_future(self._welcome(guest))
            self._guests.add(welcome)
            welcome.add_done_callback(self._guests.discard)

    async def _welcome(self, guest: socket.socket) -> None:
        """Somebody is at the door: who was expected is handed its ends of two pipes."""
        with guest, contextlib.suppress(OSError):
            guest.setblocking(False)
            word = b""
            while len(word) < _WORD_BYTES:
                if not (more := await asyncio.get_running_loop().sock_recv(guest, _WORD_BYTES - len(word))):
                    return
                word += more
            expected = self._expected.pop(word, None)
            if expected is not None and not expected.done():
                expected.set_result(_connected(guest))

    async def close(self) -> None:
        """Shut the door. Idempotent. Lines that are open go on."""
        if self._listening.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
        for welcome in self._guests:
            welcome.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)


def _why(ended: asyncio.Task[ExecResult]) -> str:
    if not ended.done():
        return f"nothing came within {_PATIENCE_S:g} s"
    if error := ended.exception():
        return str(error)
    done = ended.result()
    return f"exit code {done.exit_code}: {done.stderr[-500:].decode('utf-8', 'replace').strip()}"


def _connected(guest: socket.socket) -> Line:
    """A line to the process at the other end. Raises OSError."""
    pid = _CREDENTIALS.unpack(guest.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[0]
    (heard, hears), (says, said) = os.pipe(), os.pipe()
    try:
        socket.send_fds(guest, [b"\0"], [heard, said])
    except OSError:
        os.close(hears)
        os.close(says)
        raise
    finally:
        os.close(heard)
        os.close(said)
    return Line(hears, says, pid)

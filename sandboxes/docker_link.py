"""The short way to a container's agent: a socket in a directory that the container is shown, past the daemon.

The agent connects to it before it does anything else.  One connection is taken, the agent's, and then socket and
directory go, before any command can run: what a command finds there is empty.  Where it does not work (a daemon that
does not see our temporary directory, or runs in a virtual machine) the attached streams serve.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import socket
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from agentgym.sandboxes import docker_reaper

TARGET = "/run/link"
_NAME = "socket"
"""The agent knows both."""
_CREDENTIALS = struct.Struct("3i")


class Listener:
    """A place for one agent to connect to, from `open` to `close`."""

    def __init__(self, directory: Path, listening: socket.socket) -> None:
        self.directory, self._socket = directory, listening

    @classmethod
    def open(cls) -> Self | None:
        """None where there can be none."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listener = cls(_directory(), listening)
        except OSError:
            listening.close()
            return None
        try:
            listener._listen()
        except OSError:
            listener.close()
            return None
        return listener

    async def accept(self, pid: int | None) -> socket.socket:
        """The connection of that process, or of the first to come if it is not known. Others are hung up on."""
        while True:
            try:
                connected, _ = self._socket.accept()
            except BlockingIOError:
                await self._readable()
                continue
            if pid is None or _peer(connected) == pid:
                return connected
            connected.close()

    def close(self) -> None:
        """Nobody can connect from now on, and nothing of it is left. Idempotent."""
        self._socket.close()
        with suppress(OSError):
            (self.directory / _NAME).unlink()
        for directory in (self.directory, self.directory.parent):  # the latter goes with the last of its listeners
            with suppress(OSError):
                directory.rmdir()

    def _listen(self) -> None:
        place = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._socket.bind(f"/proc/self/fd/{place}/{_NAME}")  # its own path may be longer than an address can be
        finally:
            os.close(place)
        # for the box's user; nobody on the host can walk here, since the directory above is closed
        (self.directory / _NAME).chmod(0o666)
        self.directory.chmod(0o711)
        self._socket.listen(1)

    async def _readable(self) -> None:
        """Not the loop's own accept: what that has taken is nobody's if its caller is cancelled in that moment."""
        loop, descriptor = asyncio.get_running_loop(), self._socket.fileno()
        ready = loop.create_future()
        loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)


def _directory() -> Path:
    """A new directory in this process's own. Raises OSError."""
    ours = Path(tempfile.gettempdir()) / docker_reaper.folder()
    for _ in range(10):
        with suppress(FileExistsError):
            ours.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # another thread's last listener has just closed
            status = ours.lstat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise PermissionError(f"{ours} is somebody else's")
            return Path(tempfile.mkdtemp(dir=ours))
    raise FileNotFoundError(str(ours))


def _peer(connected: socket.socket) -> int:
    """The process that connected, as this machine sees it; 0 if it does not."""
    said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(said)[0])


@atexit.register
def _leave() -> None:
    """What a loop that was stopped in the middle has not closed."""
    shutil.rmtree(Path(tempfile.gettempdir()) / docker_reaper.folder(), ignore_errors=True)

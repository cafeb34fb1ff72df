"""The agent that lives in a box as its PID 1: does what the driver asks over stdin/stdout and dies at EOF.

Not trusted: it runs as the box's own user, so nothing that it reports may decide a verdict on its own.
It is non-dumpable, so a command of the same uid can neither trace it nor write its memory, and a signal from
inside does not reach a PID 1.  Standard library only, and little of it: its boot is most of a box's start.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import stat
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from agentgym.sandboxes import archive, wire
from agentgym.sandboxes.box_command import Command, Limits, reap, run, set_dumpable

WORKSPACE = b"/workspace"
LIFETIME_OVER = 3
"""The exit status that tells the driver why a box went."""
_REQUEST_CAP = 1 << 31

Field = bytes | int | float


def main() -> NoReturn:
    """Serve until the driver hangs up; then everything in this pid namespace dies with us."""
    set_dumpable(False)
    os.closerange(3, 256)
    os.umask(0o022)
    try:
        _Agent().serve()
    except (EOFError, BrokenPipeError):
        os._exit(0)


class _Agent:
    """Answers one request at a time."""

    def __init__(self) -> None:
        self._limits: Limits = []
        self._dies_at = time.monotonic() + 120.0
        self._operations: dict[bytes, Callable[..., list[Field]]] = {
            b"hello": self._hello,
            b"exec": self._exec,
            b"read": _read,
            b"write": _write,
            b"pack": _pack,
            b"unpack": _unpack,
        }

    def serve(self) -> NoReturn:
        while True:
            self._wait()
            operation, *fields = _receive()
            reap()
            try:
                reply: list[Field] = [b"ok", *self._operations[operation](*fields)]
            except BrokenPipeError:
                raise
            except OSError as error:
                reply = [b"error", error.errno or errno.EIO, (error.strerror or str(error)).encode()]
            except (MemoryError, RecursionError):
                reply = [b"error", errno.ENOMEM, b"more than the box's agent can hold"]
            _send(reply)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(0, select.POLLIN)
        while not poll.poll(max(0.0, self._dies_at - time.monotonic()) * 1000 + 1):
            self._check()

    def _check(self) -> None:
        """Leave, if the driver has or our time is over."""
        if time.monotonic() > self._dies_at:
            os._exit(LIFETIME_OVER)
        poll = select.poll()
        poll.register(0, 0)
        if poll.poll(0):
            raise EOFError

    def _hello(self, lifetime: bytes, *limits: bytes) -> list[Field]:
        self._dies_at = time.monotonic() + float(lifetime)
        for limit in limits:
            name, value = limit.split(b"=")
            kind = int(getattr(resource, f"RLIMIT_{name.decode()}"))
            hard = resource.getrlimit(kind)[1]
            self._limits.append((kind, int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)))
        return [sys.version.split()[0].encode()]

    def _exec(self, timeout: bytes, cap: bytes, cwd: bytes, argv: bytes, env: bytes, stdin: bytes) -> list[Field]:
        variables = dict(pair.split(b"=", 1) for pair in env.split(b"\0") if pair)
        where = os.path.join(WORKSPACE, cwd)
        command = Command(argv.split(b"\0"), variables, where, stdin, float(timeout), int(cap))
        done = run(command, self._limits, 0, self._check)
        out, err = done.out.get(), done.err.get()
        return [done.code, done.killed, out, err, done.out.dropped, done.err.dropped, done.seconds]


def _read(path: bytes, cap: bytes) -> list[Field]:
    descriptor = os.open(os.path.join(WORKSPACE, path), os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        data = bytearray()
        while len(data) <= int(cap) and (part := file.read(min(1 << 20, int(cap) + 1 - len(data)))):
            data += part
    if len(data) > int(cap):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return [bytes(data)]


def _write(path: bytes, data: bytes, mode: bytes) -> list[Field]:
    target = os.path.join(WORKSPACE, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fchmod(descriptor, int(mode))
    finally:
        os.close(descriptor)
    return []


def _pack(limit: bytes) -> list[Field]:
    """Stream the workspace to the driver in parts, ahead of the reply."""
    held = bytearray()

    def write(data: bytes) -> None:
        held.extend(data)
        while len(held) >= wire.CHUNK:
            _send([b"part", bytes(held[: wire.CHUNK])])
            del held[: wire.CHUNK]

    archive.pack(os.fsdecode(WORKSPACE), write, int(limit))
    _send([b"part", bytes(held)])
    return []


def _unpack() -> list[Field]:
    """Fill the empty workspace from the parts that follow; an empty one is the end, and is always waited for."""
    held, over = bytearray(), False

    def more() -> None:
        nonlocal over
        (data,) = _receive()
        held.extend(data)
        over = not data

    def read(count: int) -> bytes:
        while len(held) < count:
            if over:
                raise OSError(errno.EBADMSG, "the archive ends early")
            more()
        data = bytes(held[:count])
        del held[:count]
        return data

    try:
        archive.unpack(os.fsdecode(WORKSPACE), read)
    finally:
        while not over:
            held.clear()
            more()
    return []


def _receive() -> list[bytes]:
    return wire.decode(_exactly(wire.length(_exactly(wire.HEADER), _REQUEST_CAP)))


def _exactly(count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = os.read(0, min(1 << 20, count - len(data)))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _send(fields: list[Field]) -> None:
    view = memoryview(wire.encode(fields))
    while view:
        view = view[os.write(1, view) :]

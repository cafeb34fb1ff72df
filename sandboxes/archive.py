"""A directory tree as one byte stream, and back: modes, times, symlinks and holes kept; devices and sockets left out.

Used on both sides of a box's wall: the driver packs a host directory, the agent packs and unpacks the workspace.
The driver never unpacks and never parses what came out of a box. Not tar: that module alone doubles the agent's boot.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable

_ENTRY = struct.Struct(">cIqIQ")
"""kind, mode, mtime in ns, length of the path, length of what follows (the file's size or the link's target)."""
_EXTENT = struct.Struct(">QQ")
_BLOCK = 1 << 18

Write = Callable[[bytes], object]
Read = Callable[[int], bytes]


class TooLarge(OSError):
    """The tree does not fit the limit that the caller set."""


def pack(root: str, write: Write, limit: int, *, foreign: bool = False) -> None:
    """Write the tree under `root` to `write`; TooLarge once more than `limit` bytes of it were written.

    A `foreign` tree (the host's) is only ever read, and recorded as one that its new owner may change;
    one's own is recorded as it is, unreadable parts too.
    """
    packer = _Packer(os.fsencode(root), write, limit, foreign)
    packer.directory(b"")
    packer.write(_ENTRY.pack(b".", 0, 0, 0, 0))


def unpack(root: str, read: Read) -> None:
    """Make under the existing directory `root` what `read` (exactly n bytes a call) delivers."""
    base = os.fsencode(root)
    closing: list[tuple[bytes, int, int]] = []
    while True:
        kind, mode, mtime, path_length, size = _ENTRY.unpack(read(_ENTRY.size))
        if kind == b".":
            break
        path = os.path.join(base, read(path_length)) if path_length else base
        if kind == b"d":
            if path_length:
                os.mkdir(path, 0o700)
            closing.append((path, mode, mtime))
        elif kind == b"l":
            os.symlink(read(size), path)
            os.utime(path, ns=(mtime, mtime), follow_symlinks=False)
        elif kind == b"p":
            os.mkfifo(path, mode)
        else:
            _unpack_file(path, mode, mtime, size, read)
    for path, mode, mtime in reversed(closing):
        os.utime(path, ns=(mtime, mtime))
        os.chmod(path, mode)


class _Packer:
    """One walk over a tree."""

    def __init__(self, base: bytes, write: Write, limit: int, foreign: bool) -> None:
        self._base, self._write, self._left, self._foreign = base, write, limit, foreign

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("the tree is larger than the limit")
        self._write(data)

    def directory(self, relative: bytes) -> None:
        path = os.path.join(self._base, relative) if relative else self._base
        status = os.stat(path)
        self._entry(b"d", relative, status, 0, 0o700)
        closed = self._open_up(path, status, 0o700)
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda each: each.name)
            for entry in entries:
                inner = os.path.join(relative, entry.name) if relative else entry.name
                if entry.is_dir(follow_symlinks=False):
                    self.directory(inner)
                else:
                    self._leaf(entry.path, inner, entry.stat(follow_symlinks=False))
        finally:
            if closed:
                os.chmod(path, stat.S_IMODE(status.st_mode))

    def _leaf(self, path: bytes, relative: bytes, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)
            self._entry(b"l", relative, status, len(target), 0)
            self.write(target)
        elif stat.S_ISFIFO(status.st_mode):
            self._entry(b"p", relative, status, 0, 0o600)
        elif stat.S_ISREG(status.st_mode):
            closed = self._open_up(path, status, 0o400)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                self._entry(b"f", relative, status, status.st_size, 0o600)
                self._extents(descriptor, status.st_size)
            finally:
                if closed:
                    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
                os.close(descriptor)

    def _entry(self, kind: bytes, relative: bytes, status: os.stat_result, size: int, owner: int) -> None:
        mode = stat.S_IMODE(status.st_mode) | (owner if self._foreign else 0)
        self.write(_ENTRY.pack(kind, mode, status.st_mtime_ns, len(relative), size) + relative)

    def _open_up(self, path: bytes, status: os.stat_result, needed: int) -> bool:
        """Lend ourselves the permission bits that we took off our own file; True if there was need."""
        closed = not self._foreign and status.st_mode & needed != needed
        if closed:
            os.chmod(path, stat.S_IMODE(status.st_mode) | needed)
        return closed

    def _extents(self, descriptor: int, size: int) -> None:
        """The parts of a file that hold data: a sparse file costs what it uses, not what it claims."""
        at = 0
        while at < size:
            try:
                start = os.lseek(descriptor, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break  # nothing but a hole to the end
            at = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
            while start < at:
                data = os.pread(descriptor, min(_BLOCK, at - start), start)
                if not data:
                    break
                self.write(_EXTENT.pack(start, len(data)) + data)
                start += len(data)
        self.write(_EXTENT.pack(0, 0))


def _unpack_file(path: bytes, mode: int, mtime: int, size: int, read: Read) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while True:
            start, count = _EXTENT.unpack(read(_EXTENT.size))
            if not count:
                break
            data = read(count)
            while data:
                written = os.pwrite(descriptor, data, start)
                data, start = data[written:], start + written
        os.ftruncate(descriptor, size)
        os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(mtime, mtime))
    finally:
        os.close(descriptor)

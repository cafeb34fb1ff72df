"""A host directory as one byte stream, as the agent in a box unpacks it: modes, times, symlinks and holes kept.

Read only and for somebody else: every file is recorded as one that its new owner may change; devices and sockets are
left out.  The agent's tree.c has the other direction, and packs a box's own workspace in the same format; what came out
of a box is never parsed here.  Not tar: no padding, no owners, holes by extent, and the agent needs no library for it.
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

EMPTY = _ENTRY.pack(b".", 0, 0, 0, 0)
"""The end of every stream; by itself, a tree that leaves everything as it is."""


class TooLarge(OSError):
    """The tree does not fit the limit that the caller set."""


def pack(root: str, write: Write, limit: int) -> None:
    """Write the tree under `root` to `write`; TooLarge once more than `limit` bytes of it were written."""
    packer = _Packer(os.fsencode(root), write, limit)
    packer.directory(packer.base, b"")
    packer.write(EMPTY)


class _Packer:
    """One walk over a tree."""

    def __init__(self, base: bytes, write: Write, limit: int) -> None:
        self.base, self._write, self._left = base, write, limit

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("the tree is larger than the limit")
        self._write(data)

    def directory(self, path: bytes, relative: bytes) -> None:
        self._entry(b"d", relative, os.stat(path), 0, 0o700)
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda each: each.name)
        for entry in entries:
            inner = relative + b"/" + entry.name if relative else entry.name
            if entry.is_dir(follow_symlinks=False):
                self.directory(entry.path, inner)
            else:
                self._leaf(entry.path, inner, entry.stat(follow_symlinks=False))

    def _leaf(self, path: bytes, relative: bytes, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)
            self._entry(b"l", relative, status, len(target), 0)
            self.write(target)
        elif stat.S_ISFIFO(status.st_mode):
            self._entry(b"p", relative, status, 0, 0o600)
        elif stat.S_ISREG(status.st_mode):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                self._entry(b"f", relative, status, status.st_size, 0o600)
                self._extents(descriptor, status)
            finally:
                os.close(descriptor)

    def _entry(self, kind: bytes, relative: bytes, status: os.stat_result, size: int, owner: int) -> None:
        mode = stat.S_IMODE(status.st_mode) | owner
        self.write(_ENTRY.pack(kind, mode, status.st_mtime_ns, len(relative), size) + relative)

    def _extents(self, descriptor: int, status: os.stat_result) -> None:
        """The parts of a file that hold data: a sparse file costs what it uses, not what it claims."""
        at, size = 0, status.st_size
        while at < size:
            if status.st_blocks * 512 >= size:  # no holes: no need to look for them
                start, end = at, size
            else:
                try:
                    start = os.lseek(descriptor, at, os.SEEK_DATA)
                except OSError as error:
                    if error.errno != errno.ENXIO:
                        raise
                    break  # nothing but a hole to the end
                end = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
            while start < end:
                data = os.pread(descriptor, min(_BLOCK, end - start), start)
                if not data:
                    break
                self.write(_EXTENT.pack(start, len(data)) + data)
                start += len(data)
            at = end
        self.write(_EXTENT.pack(0, 0))

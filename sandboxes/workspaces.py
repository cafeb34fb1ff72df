"""Host directories on their way into boxes: packed once as long as nothing in them changes.

Packing a tree takes longer than making a box. A directory whose every file has the same inode, size and times as when
it was packed is taken for unchanged; one that was changed a moment ago is not remembered.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import stat
import tempfile
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import IO

from agentgym.errors import SandboxError
from agentgym.sandboxes import archive

_REMEMBERED = 64
_FRESH_S = 2.0
"""A file changed less than this before it was packed could change again without a trace in its times."""

_packed: OrderedDict[str, tuple[str, Tree]] = OrderedDict()


class Tree:
    """A tree as `archive` streams it, in an unlinked file: ends with the last reference, or with the driver."""

    def __init__(self, file: IO[bytes], digest: str, size: int) -> None:
        self._file, self.digest, self.size = os.dup(file.fileno()), digest, size

    def open(self) -> IO[bytes]:
        """Its bytes from their start, with a position of their own: a tree may fill several boxes at once."""
        return open(f"/proc/self/fd/{self._file}", "rb")

    def __del__(self) -> None:
        os.close(self._file)


class Sink(io.RawIOBase):
    """A Tree in the making: what is written to it is the stream."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the sink
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._digest.update(data)
        self._size += len(data)
        return self._file.write(data)

    def tree(self) -> Tree:
        self._file.flush()
        return Tree(self._file, self._digest.hexdigest(), self._size)

    def close(self) -> None:
        self._file.close()
        super().close()


def packed(workspace: Path | None, limit: int) -> Tree:
    """The directory as a tree; None is an empty one. Blocks.

    Raises SandboxError if it can not be read, or makes a stream of more than `limit` bytes.
    """
    if workspace is None:
        return _nothing()
    place = str(workspace.absolute())
    try:
        print_, changed = _fingerprint(place)
        known = _packed.get(place)
        if known is not None and known[0] == print_ and known[1].size <= limit:
            with suppress(KeyError):  # another thread forgot it just now
                _packed.move_to_end(place)
            return known[1]
        tree = _pack(place, limit)
    except OSError as error:
        raise SandboxError(f"the workspace {workspace} can not be read: {error}") from error
    if time.time() - changed > _FRESH_S:
        _packed[place] = print_, tree
        while len(_packed) > _REMEMBERED:
            with suppress(KeyError):  # another thread did it
                _packed.popitem(last=False)
    return tree


def _pack(place: str, limit: int) -> Tree:
    with Sink() as sink:
        archive.pack(place, sink.write, limit)
        return sink.tree()


@functools.cache
def _nothing() -> Tree:
    with Sink() as sink:
        sink.write(archive.EMPTY)
        return sink.tree()


def _fingerprint(place: str) -> tuple[str, float]:
    """What tells a tree from itself after a change, and when it last changed."""
    digest, latest = hashlib.sha256(), 0
    pending = [place]
    while pending:
        directory = pending.pop()
        own = os.stat(directory)
        with os.scandir(directory) as entries:
            statuses = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
        for name, status in [(directory, own), *statuses]:
            values = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            digest.update(repr((name, values)).encode("utf-8", "surrogateescape"))
            latest = max(latest, status.st_ctime_ns)
        pending += [os.path.join(directory, name) for name, status in statuses if stat.S_ISDIR(status.st_mode)]
    return digest.hexdigest(), latest / 1e9

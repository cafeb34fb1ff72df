"""A memory cgroup for one box, version 1 or 2, where this process may make one; elsewhere there is none.

Bounds processes and tmpfs files of a box together, and counts out-of-memory kills so that they can be reported.
To make and to remove one costs more than to use it, so Groups keeps those of dead boxes for the next ones.
A driver killed with SIGKILL leaves its boxes' empty directories; the next driver's first box removes them.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import time
import weakref
from pathlib import Path

_PREFIX = "agentgym-"
_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
_numbers = itertools.count()
_MOST_FREE = 64
_REST = 16 << 20
"""What may still be charged to a group that is used again: clean pages of files that its last box read first."""


class MemoryGroup:
    """One cgroup directory, made with its limit set."""

    def __init__(self, parent: Path, limit: int) -> None:
        self._path = parent / f"{_PREFIX}{os.getpid()}-{started(os.getpid())}-{next(_numbers)}"
        self.limit = limit
        self._path.mkdir()
        self.procs = self._path / "cgroup.procs"
        try:
            self._counts = self._bounded(limit)
        except BaseException:
            self._path.rmdir()
            raise

    def _bounded(self, limit: int) -> int:
        """Set the limit. The open file that counts what it costs."""
        if (self._path / "memory.max").exists():
            self._events, self._usage = self._path / "memory.events", self._path / "memory.current"
            settings = {"memory.max": limit, "memory.swap.max": 0}
        else:
            self._events, self._usage = self._path / "memory.oom_control", self._path / "memory.usage_in_bytes"
            settings = {"memory.limit_in_bytes": limit, "memory.memsw.limit_in_bytes": limit}
        for name, value in settings.items():
            file = self._path / name
            if file.exists():  # the two about swap exist only where swap is accounted
                file.write_text(str(value))
        return os.open(self._events, os.O_RDONLY | os.O_CLOEXEC)

    def add(self, pid: int) -> None:
        """Have a process, and all that it will start, counted here."""
        self.procs.write_text(str(pid))

    def oom_kills(self) -> int:
        """How many processes of the group the kernel has killed for memory so far."""
        return oom_kills(self._counts)

    def rested(self) -> bool:
        """Whether nothing to speak of is charged to it any more."""
        with contextlib.suppress(OSError):
            return int(self._usage.read_bytes()) < _REST
        return False

    def remove(self, patience: float = 5.0) -> bool:
        """Remove the directory; waits for its last process to be gone. False if one would not go. Idempotent."""
        if self._counts >= 0:
            os.close(self._counts)
            self._counts = -1
        deadline = time.monotonic() + patience
        while True:
            try:
                self._path.rmdir()
                return True
            except FileNotFoundError:
                return True
            except OSError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.002)


def memory_events(pid: int) -> int | None:
    """The open file that counts the out-of-memory kills of the group that a process is in; None if it is out of sight."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, inside = line.split(":", 2)
        if "memory" in controllers.split(","):
            events = _V1 / inside.lstrip("/") / "memory.oom_control"
        else:
            events = _V2 / inside.lstrip("/") / "memory.events"
        with contextlib.suppress(OSError):
            return os.open(events, os.O_RDONLY | os.O_CLOEXEC)
    return None


def oom_kills(events: int) -> int:
    """How many kills such a file counts; 0 once the group is gone."""
    with contextlib.suppress(OSError):
        if found := re.search(rb"^oom_kill (\d+)", os.pread(events, 4096, 0), re.M):
            return int(found[1])
    return 0


class Groups:
    """Groups that boxes take turns in. They go at `close`, and with the process at the latest."""

    def __init__(self) -> None:
        self._free: dict[int, list[MemoryGroup]] = {}
        self.close = weakref.finalize(self, _remove, self._free)

    def confine(self, pid: int, limit: int) -> MemoryGroup | None:
        """A group with `limit` bytes and a process in it; None where this process may not make one.

        Blocks: to move a process, the kernel waits for all others to pass a safe point.  Raises OSError.
        """
        group = self._taken(limit)
        if group is None and (parent := _parent()) is not None:
            group = MemoryGroup(parent, limit)
        if group is None:
            return None
        try:
            group.add(pid)
        except BaseException:
            group.remove()
            raise
        return group

    def take_back(self, group: MemoryGroup) -> bool:
        """Keep it for the next box: the one in it is dead. False if it is not fit for that."""
        free = self._free.setdefault(group.limit, [])
        if not self.close.alive or len(free) >= _MOST_FREE or not group.rested():
            return False
        free.append(group)
        return True

    def _taken(self, limit: int) -> MemoryGroup | None:
        with contextlib.suppress(IndexError):  # several threads take
            return self._free.setdefault(limit, []).pop()
        return None


def _remove(free: dict[int, list[MemoryGroup]]) -> None:
    for group in itertools.chain(*free.values()):
        group.remove()
    free.clear()


@functools.cache
def _parent() -> Path | None:
    """Where groups can be made: tried once for each process, by making one. Sweeps what dead drivers left there."""
    if os.geteuid() != 0:
        return None
    for place in _candidates():
        with contextlib.suppress(OSError):
            trial = MemoryGroup(place, 1 << 30)
            limited = (place / trial.procs.parent.name / trial._events.name).exists()
            trial.remove()
            if limited:
                _sweep(place)
                return place
    return None


def _candidates() -> list[Path]:
    """Our own group and, in version 2 (whose groups may not hold both processes and children), those above it."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, inside = line.split(":", 2)
        if "memory" in controllers.split(","):
            found += [_V1 / inside.lstrip("/"), _V1]
        elif not controllers:
            own = _V2 / inside.lstrip("/")
            found += [place for place in (own, *own.parents) if place.is_relative_to(_V2)]
    return found


def _sweep(place: Path) -> None:
    """Remove what dead drivers left anywhere in this hierarchy: theirs need not have run in a group of ours."""
    top = next(root for root in (_V1, _V2) if place.is_relative_to(root))
    for directory, inner, _ in os.walk(top):
        for left in inner:
            owner = re.fullmatch(_PREFIX + r"(\d+)-(\d+)-\d+", left)
            if owner and started(int(owner[1])) != owner[2]:
                with contextlib.suppress(OSError):  # its last process is still dying: the next sweep's
                    os.rmdir(os.path.join(directory, left))


def started(pid: int) -> str:
    """When a process began, in the kernel's ticks: tells it from a later one of the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""

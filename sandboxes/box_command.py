"""One command inside a box: its streams, its limits, its end. Runs in the box, in the agent's process.

Knows nothing of the driver: `box_agent` talks, this runs.  Signals and `prctl` go through ctypes because the
`signal` module takes longer to import than the whole of the rest of the agent's boot.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

FLOOD = 256 << 20
"""Bytes past which a command's output is a flood, and every process of the box is killed for it."""
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
_PR_SET_DUMPABLE = 4
_PIPE_SLACK = 1 << 20
"""The largest pipe a user may make: what can still be in one when its writers are dead."""
_TICK_MS = 250
"""How often orphans are reaped while a command runs: each zombie counts against the box's processes."""

Limits = list[tuple[int, int]]

libc = ctypes.CDLL(None, use_errno=True)
libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
libc.signal.restype = ctypes.c_void_p


def set_dumpable(value: bool) -> None:
    """Whether processes of the same uid may look into this one. The kernel sets it again at exec."""
    if libc.prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def reap(wanted: int = 0) -> int | None:
    """Bury the dead. The exit code of `wanted` (negative: its signal) if it was among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == wanted:
            code = os.waitstatus_to_exitcode(status)


def kill_all(wanted: int = 0) -> int | None:
    """Kill every process of the box but this one. The exit code of `wanted` as in `reap`.

    One signal to all is atomic in the kernel, so not even a fork bomb outruns it.
    """
    code, patience = None, time.monotonic() + 5.0
    while time.monotonic() < patience:
        try:
            os.kill(-1, _SIGKILL)
        except ProcessLookupError:
            return code if code is not None else reap(wanted)
        found = reap(wanted)
        code = code if found is None else found
        time.sleep(0.001)
    return code


class Tail:
    """The head and the tail of a stream within `cap` bytes; what fell between is only counted."""

    def __init__(self, cap: int) -> None:
        self._head_cap, self._tail_cap = cap - cap // 2, cap // 2
        self._head, self._tail = bytearray(), bytearray()
        self.total = 0

    def add(self, data: bytes) -> None:
        self.total += len(data)
        room = self._head_cap - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._tail_cap + (1 << 16):
            self._trim()

    def get(self) -> bytes:
        self._trim()
        return bytes(self._head + self._tail)

    @property
    def dropped(self) -> int:
        return self.total - len(self._head) - len(self._tail)

    def _trim(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._tail_cap)]


@dataclass(slots=True)
class Command:
    """A command line with all that it runs under. `become` is what its process does first."""

    argv: list[bytes]
    env: dict[bytes, bytes]
    cwd: bytes
    stdin: bytes
    timeout: float
    cap: int

    def become(self, streams: tuple[int, int, int], limits: Limits) -> NoReturn:
        """In the forked child: turn into the command, or say on its stderr why not."""
        status, what = 126, self.cwd
        try:
            for target, descriptor in enumerate(streams):
                os.dup2(descriptor, target)
            os.setsid()
            _volunteer_for_oom()
            for kind, value in limits:
                resource.setrlimit(kind, (value, value))
            libc.signal(_SIGPIPE, None)
            libc.signal(_SIGXFSZ, None)
            os.chdir(self.cwd)
            what = self.argv[0]
            self._exec()
        except OSError as error:
            if what is not self.cwd and error.errno in (errno.ENOENT, errno.ENOTDIR):
                status = 127
            os.write(2, b"agentgym: %s: %s\n" % (what, os.strerror(error.errno or errno.EIO).encode()))
        finally:
            os._exit(status)

    def _exec(self) -> NoReturn:
        """Like execvpe, but silent about directories that it may not look into."""
        name = self.argv[0]
        if not name or b"/" in name:
            os.execve(name, self.argv, self.env)
        failure = FileNotFoundError(errno.ENOENT, "")
        for directory in self.env.get(b"PATH", b"").split(b":"):
            try:
                os.execve(os.path.join(directory, name), self.argv, self.env)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                failure = error  # type: ignore[assignment]
        raise failure


def _volunteer_for_oom() -> None:
    """Die before the agent when memory is short. The file is ours only while we are dumpable, as exec will make us."""
    set_dumpable(True)
    descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(descriptor, b"1000")
    os.close(descriptor)


class _Streams:
    """The agent's ends of a command's standard streams: two to read, one to feed."""

    def __init__(self, command: Command) -> None:
        out, err = os.pipe(), os.pipe()
        stdin = os.pipe() if command.stdin else (os.open("/dev/null", os.O_RDONLY), -1)
        self.inside = stdin[0], out[1], err[1]
        self.out, self.err = Tail(command.cap), Tail(command.cap)
        self._sinks = {out[0]: self.out, err[0]: self.err}
        self._feed, self._unfed = stdin[1], memoryview(command.stdin)
        self.poll = select.poll()
        for descriptor in self._sinks:
            os.set_blocking(descriptor, False)
            self.poll.register(descriptor, select.POLLIN)
        if command.stdin:
            os.set_blocking(self._feed, False)
            self.poll.register(self._feed, select.POLLOUT)

    def started(self) -> None:
        """The child has its ends: drop ours of them, or its pipes would never end."""
        for descriptor in self.inside:
            os.close(descriptor)

    def turn(self, descriptor: int) -> None:
        """Move what can be moved on a descriptor that poll named."""
        if descriptor in self._sinks:
            self._pull(descriptor)
        elif descriptor == self._feed:
            self._push()

    def close(self) -> None:
        """Take what is in the pipes, whoever else holds them, and let go of them."""
        for descriptor, sink in list(self._sinks.items()):
            stop = sink.total + _PIPE_SLACK
            while sink.total < stop and self._pull(descriptor):
                pass
        for descriptor in [*self._sinks, self._feed]:
            if descriptor >= 0:
                os.close(descriptor)

    def _pull(self, descriptor: int) -> bool:
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if data:
            self._sinks[descriptor].add(data)
            return True
        self.poll.unregister(descriptor)  # a pipe at its end is always readable: poll would spin
        del self._sinks[descriptor]
        os.close(descriptor)
        return False

    def _push(self) -> None:
        try:
            self._unfed = self._unfed[os.write(self._feed, self._unfed[: 1 << 16]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unfed = self._unfed[:0]
        if not self._unfed:
            self.poll.unregister(self._feed)
            os.close(self._feed)
            self._feed = -1


@dataclass(slots=True)
class Outcome:
    """How a command ended. `code` is negative for a signal; `killed` names our reason, if it was us."""

    code: int
    killed: bytes
    out: Tail
    err: Tail
    seconds: float


def run(command: Command, limits: Limits, watch: int, check: Callable[[], None]) -> Outcome:
    """Run a command until its own process ends. `check` is called when `watch` stirs and on every tick."""
    streams, began = _Streams(command), time.monotonic()
    pid = os.fork()
    if pid == 0:
        command.become(streams.inside, limits)
    streams.started()
    pidfd = os.pidfd_open(pid)
    streams.poll.register(pidfd, select.POLLIN)
    streams.poll.register(watch, 0)
    killed, code = b"", None
    while code is None:
        left = began + command.timeout - time.monotonic()
        if left <= 0 or streams.out.total + streams.err.total > FLOOD:
            killed = b"timeout" if left <= 0 else b"output"
            code = kill_all(pid)
            break
        ready = streams.poll.poll(min(_TICK_MS, left * 1000 + 1))
        for descriptor, _ in ready:
            streams.turn(descriptor)
        if not ready or any(descriptor in (pidfd, watch) for descriptor, _ in ready):
            check()
            code = reap(pid)
    os.close(pidfd)
    streams.close()
    return Outcome(-_SIGKILL if code is None else code, killed, streams.out, streams.err, time.monotonic() - began)

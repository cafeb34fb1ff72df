"""From a spec to a running, unprivileged bwrap process: arguments, the drop from root, the process's birth and end.

Knows nothing of what is said to the agent inside (`channel`).  A root driver goes through a small program (`agent/enter.c`)
that joins the memory cgroup and gives up root before bwrap is ever entered; what it mounts, it mounts in a namespace
of its own.  Any other driver enters bwrap directly, under its own uid.
"""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from agentgym.errors import SandboxError
from agentgym.sandboxes import agent, cgroup, rootfs
from agentgym.sandboxes.agent_sandbox import memory_limit
from agentgym.sandboxes.channel import Process
from agentgym.sandboxes.rootfs import Bind
from agentgym.sandboxes.sandbox import BIN_PATH, SCRATCH_BYTES, USER_ID, WORKSPACE, SandboxSpec
from agentgym.sandboxes.uids import Uid

_AGENT = "/run/agent"
_POWERS = ("SYS_ADMIN", "DAC_OVERRIDE", "FOWNER", "CHOWN", "SETPCAP")
"""What the agent needs in the box's own user namespace to mount an overlay; no command has any of it."""

_NO_NAMESPACES = (
    "this kernel or distribution refuses user namespaces to ordinary users: set whichever of these sysctls exists, "
    "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
    "user.max_user_namespaces=10000 (in a container: it needs to be allowed to create them)"
)


class Bwrap(Process):
    """A bwrap process with its uid, its cgroup and our end of the socket that is its stdin and stdout.

    The constructor blocks for some milliseconds; `launch` does it in a thread.  `--die-with-parent` means that
    thread: one of the loop's own executor, which lives as long as the loop does.
    """

    def __init__(self, spec: SandboxSpec) -> None:
        with ExitStack() as undo:
            self.uid = undo.enter_context(closing(Uid())) if os.geteuid() == 0 else None
            self.group = cgroup.create(memory_limit(spec.limits))
            if self.group is not None:
                undo.callback(self.group.remove)
            self.memory_is_counted = self.group is not None
            self._socket, inside = map(undo.enter_context, socket.socketpair())
            self._stderr = os.memfd_create("stderr", os.MFD_CLOEXEC)
            undo.callback(os.close, self._stderr)
            with _command_line(spec, self.uid, self.group, (_AGENT,)) as (argv, handed):
                self._popen: subprocess.Popen[bytes] = subprocess.Popen(
                    argv,
                    stdin=inside.fileno(),
                    stdout=inside.fileno(),
                    stderr=self._stderr,
                    pass_fds=handed,
                    env=_launch_env(),
                    cwd="/",
                )
            undo.pop_all()
        inside.close()
        self._pidfd = os.pidfd_open(self._popen.pid)

    @classmethod
    async def launch(cls, spec: SandboxSpec) -> Self:
        making = asyncio.ensure_future(asyncio.to_thread(cls, spec))
        try:
            process = await asyncio.shield(making)
        except asyncio.CancelledError:
            process = await making
            process._watch()
            await process.end()
            raise
        process._watch()
        return process

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(sock=self._socket, limit=1 << 20)

    def _watch(self) -> None:
        self._exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pidfd, self._exit)

    @property
    def pid(self) -> int:
        """Of bwrap itself, on the host."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        return self._popen.poll()

    def oom_kills(self) -> int:
        return self.group.oom_kills() if self.group is not None else 0

    def kill(self) -> None:
        """bwrap ends when the last process of its pid namespace is gone: so the agent is killed, not bwrap."""
        if self._popen.poll() is None:
            children: list[str] = []
            with suppress(OSError):  # a kernel without this file: killing bwrap kills the agent, a moment later
                children = Path(f"/proc/{self._popen.pid}/task/{self._popen.pid}/children").read_text().split()
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            if not children:
                self._popen.kill()

    async def wait(self, patience: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), patience)
        return self._exited.is_set()

    async def complaint(self) -> str:
        """What the way in, bwrap or the agent wrote on stderr, with a remedy where it is a known one."""
        return explain(os.pread(self._stderr, 4000, 0).decode("utf-8", "replace"))

    async def end(self) -> None:
        self._socket.close()  # if it was never opened; the agent leaves by itself
        if not await self.wait(2.0):
            self.kill()
            if not await self.wait(10.0):
                self._popen.kill()
                await self.wait(10.0)
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        os.close(self._stderr)
        if self.group is not None and not self.group.remove(0):
            await asyncio.to_thread(self.group.remove)
        if self.uid is not None:
            self.uid.close()

    def _exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        self._popen.poll()
        self._exited.set()


def probe() -> str | None:
    """Start a Python in a box as `Bwrap` would start the agent. Why it fails, or None."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed: apt-get install bubblewrap"
    command = ("/usr/local/bin/python", "-I", "-S", "-c", "import ctypes, resource, select")
    try:
        with ExitStack() as stack:
            uid = stack.enter_context(closing(Uid())) if os.geteuid() == 0 else None
            argv, handed = stack.enter_context(_command_line(SandboxSpec(), uid, None, command))
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, pass_fds=handed, env=_launch_env(), timeout=60
            )
    except (OSError, subprocess.TimeoutExpired, SandboxError) as error:
        return str(error)
    return None if done.returncode == 0 else explain(done.stderr.decode("utf-8", "replace"))


def explain(complaint: str) -> str:
    """A launcher's last words, and what to do about those that are known."""
    text = complaint.strip() or "the box ended without a word"
    if "isable-userns" in text:
        return f"{text}: bubblewrap 0.8 or newer is needed"
    known = ("No permissions to create", "Creating new namespace failed", "setting up uid map", "user namespace")
    return f"{text}: {_NO_NAMESPACES}" if any(words in text for words in known) else text


@contextmanager
def _command_line(
    spec: SandboxSpec, uid: Uid | None, group: cgroup.MemoryGroup | None, command: Sequence[str]
) -> Iterator[tuple[list[str], list[int]]]:
    """The process to start, and the descriptors to hand it; those are closed at the end."""
    with closing(_Handed()) as handed:
        staged: list[str] = []
        words = [word for step in _steps(spec, handed) for word in _flat(step, staged if uid else None)]
        arguments = str(handed.add(b"".join(os.fsencode(word) + b"\0" for word in words)))
        if uid is None:
            argv = ["bwrap", "--args", arguments, "--", *command]
        else:
            procs = "" if group is None else str(group.procs)
            bwrap = ["bwrap", "--args", arguments, "--", *command]
            argv = [str(agent.enter()), str(uid.number), procs, str(len(staged)), *staged, *bwrap]
        yield argv, handed.descriptors


def _steps(spec: SandboxSpec, handed: _Handed) -> Iterator[str | Bind]:
    """bwrap's arguments in order: each works on the root as those before have made it."""
    user = str(USER_ID)
    yield from ("--unshare-all", "--unshare-user", "--disable-userns", "--uid", user, "--gid", user)
    yield from ("--hostname", "box", "--die-with-parent", "--new-session", "--as-pid-1")
    yield from ("--clearenv", "--setenv", "PATH", BIN_PATH, "--setenv", "LANG", "C.UTF-8")
    for directory in ("/etc", "/run", "/var"):
        yield from ("--perms", "0755", "--dir", directory)
    root = rootfs.host_root()
    yield from root.steps
    scratch = min(SCRATCH_BYTES, spec.limits.disk_bytes)
    yield from ("--proc", "/proc", "--dev", "/dev")
    # bwrap's /dev is a tmpfs without a size, as is the root itself: both are closed when they are complete
    yield from ("--perms", "1777", "--size", str(scratch // 4), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")
    yield from ("--perms", "1777", "--size", str(scratch), "--tmpfs", "/tmp")
    yield from ("--size", str(spec.limits.disk_bytes), "--tmpfs", WORKSPACE)
    yield from (Bind(str(source), target) for source, target in spec.mounts)
    for target, data in root.files:
        yield from ("--perms", "0644", "--file", str(handed.add(data)), target)
    yield from ("--perms", "0755", "--file", str(handed.add(_agent())), _AGENT, "--dir", "/run/layer")
    yield from ("--remount-ro", "/", "--chdir", "/")
    yield from (word for power in _POWERS for word in ("--cap-add", f"CAP_{power}"))


def _flat(step: str | Bind, staged: list[str] | None) -> list[str]:
    """A step in bwrap's words. A source that the box's uid can not reach is staged by root, if we are root."""
    if isinstance(step, str):
        return [step]
    source = step.source
    if staged is not None and not _reachable(source):
        staged.append(source)
        source = f"/sys/{len(staged) - 1}"
    return ["--ro-bind", source, step.target]


def _reachable(path: str) -> bool:
    """Whether anybody may walk to this path."""
    real = Path(path).resolve()
    return all(os.stat(parent).st_mode & stat.S_IXOTH for parent in real.parents)


@functools.cache
def _agent() -> bytes:
    return agent.agent().read_bytes()


def _launch_env() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/bin:/bin"}


class _Handed:
    """Data for a child, as descriptors that it can read from their start; closed when the child has them."""

    def __init__(self) -> None:
        self.descriptors: list[int] = []

    def add(self, data: bytes) -> int:
        descriptor = os.memfd_create("handed", os.MFD_CLOEXEC)
        self.descriptors.append(descriptor)
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)

"""How bwrap is entered: its arguments, the drop from root, and what its refusals mean.

What runs inside is `zygote`'s business.  A root driver goes through a small program (`agent/enter.c`) that gives up
root before bwrap is ever entered; what it mounts, it mounts in a namespace of its own.  Any other driver enters bwrap
directly, under its own uid.
"""

from __future__ import annotations

import functools
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from agentgym.errors import SandboxError
from agentgym.sandboxes import agent, rootfs
from agentgym.sandboxes.rootfs import Bind
from agentgym.sandboxes.sandbox import SCRATCH_BYTES, WORKSPACE, SandboxSpec
from agentgym.sandboxes.uids import Uid

AGENT = ("/run/agent", "boxes")
PYTHON = "/usr/local/bin/python"
READY = b"."
"""What a new box says first, for its driver to see which process it is, and again when it is made, or a complaint."""
_POWERS = ("SYS_ADMIN", "NET_ADMIN", "SETPCAP", "SETFCAP")
"""What the maker of boxes needs in the user namespace that bwrap makes (SETFCAP: to map its user 0); no box has it."""

Mounts = tuple[tuple[Path, str], ...]

_NO_NAMESPACES = (
    "this kernel or distribution refuses user namespaces to ordinary users: set whichever of these sysctls exists, "
    "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
    "user.max_user_namespaces=10000 (in a container: it needs to be allowed to create them)"
)


def start(mounts: Mounts, uid: Uid | None, command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
    """A process inside a fresh bwrap, in which it is user 0 with what power it takes to make boxes."""
    with _command_line(mounts, uid, command) as (argv, handed):
        return subprocess.Popen(argv, pass_fds=handed, env=_launch_env(), cwd="/", **streams)


def probe() -> str | None:
    """Start a Python inside bwrap, and a box. Why one fails, or None."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed: apt-get install bubblewrap"
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine, its = socket.socketpair()
    try:
        with here, there, mine, its, ExitStack() as stack:
            uid = stack.enter_context(closing(Uid())) if os.geteuid() == 0 else None
            python = start((), uid, (PYTHON, "-I", "-S", "-c", ""), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            said = python.communicate(timeout=60)[1]
            if python.returncode == 0:
                maker = start((), uid, AGENT, stdin=there, stderr=subprocess.PIPE)
                socket.send_fds(here, [f"box {sizes(SandboxSpec())} 0".encode()], [its.fileno()])
                for each in (there, its):
                    each.close()
                mine.settimeout(60)
                said = mine.recv(1) and mine.recv(4000)
                here.close()
                said += maker.communicate(timeout=60)[1]
    except (OSError, subprocess.TimeoutExpired, SandboxError) as error:
        return str(error)
    return None if said == READY else explain(said)


def sizes(spec: SandboxSpec) -> str:
    """The sizes of a box's workspace and of its scratch, as the zygote takes them."""
    return f"{spec.limits.disk_bytes} {min(SCRATCH_BYTES, spec.limits.disk_bytes)}"


def explain(complaint: bytes) -> str:
    """The last words of bwrap, of what comes before it or after it, and what to do about those that are known."""
    text = complaint.decode("utf-8", "replace").strip(" !\n") or "the box ended without a word"
    known = ("No permissions to create", "Creating new namespace failed", "setting up uid map", "user namespace")
    return f"{text}: {_NO_NAMESPACES}" if any(words in text for words in known) else text


@contextmanager
def _command_line(mounts: Mounts, uid: Uid | None, command: Sequence[str]) -> Iterator[tuple[list[str], list[int]]]:
    """The process to start, and the descriptors to hand it; those are closed at the end."""
    with closing(_Handed()) as handed:
        staged: list[str] = []
        words = [word for step in _steps(mounts, handed) for word in _flat(step, staged if uid else None)]
        arguments = str(handed.add(b"".join(os.fsencode(word) + b"\0" for word in words)))
        if uid is None:
            argv = ["bwrap", "--args", arguments, "--", *command]
        else:
            bwrap = ["bwrap", "--args", arguments, "--", *command]
            argv = [str(agent.enter()), str(uid.number), str(len(staged)), *staged, *bwrap]
        yield argv, handed.descriptors


def _steps(mounts: Mounts, handed: _Handed) -> Iterator[str | Bind]:
    """bwrap's arguments in order: each works on the root as those before have made it."""
    yield from ("--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--hostname", "box")
    yield from ("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv")
    for directory in ("/etc", "/run", "/var", "/tmp", WORKSPACE):
        yield from ("--perms", "0755", "--dir", directory)
    root = rootfs.host_root()
    yield from root.steps
    # bwrap's /dev is a tmpfs without a size, as is the root itself: both are closed when they are complete
    yield from ("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev")
    yield from (Bind(str(source.resolve()), target) for source, target in mounts)
    for target, data in root.files:
        yield from ("--perms", "0644", "--file", str(handed.add(data)), target)
    yield from ("--perms", "0755", "--file", str(handed.add(_agent())), AGENT[0])
    yield from ("--dir", "/run/layer", "--dir", "/run/bases")
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

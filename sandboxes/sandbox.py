"""The Sandbox contract: what an environment or a verifier may ask of a box, and what each call can raise.

Not a backend: those live one a file beside this one and all pass `agentgym.sandboxes.conformance`.
A box is private, has no network, a writable workspace over a read-only root, an unprivileged uid,
limits, and leaves nothing behind when it closes.  Whatever happens *inside* (non-zero exit, time-out,
flooded output, out of memory) is data in an `ExecResult`; only the box itself failing raises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

KilledBy = Literal["timeout", "output", "memory", "signal"]

WORKSPACE = "/workspace"
"""Where every backend shows the writable workspace; the default cwd of `exec`."""
HOME = "/tmp"
BIN_PATH = "/usr/local/bin:/usr/bin:/bin"
USER_ID = 1000
"""What a box's user sees as its own id."""
SCRATCH_BYTES = 64 << 20
"""The size of /tmp, at most; /dev/shm has a quarter of it."""


@dataclass(slots=True, frozen=True)
class Image:
    """A root file system by name; `digest` is filled in by the backend that resolved it.

    "base" is every backend's own: the usual programs, Python and git, and no packages.
    """

    name: str = "base"
    digest: str = ""


@dataclass(slots=True, frozen=True)
class SandboxLimits:
    """Ceilings for one box. Bytes, seconds and counts; a box may refuse none of them silently."""

    memory_bytes: int = 1 << 30
    processes: int = 64
    disk_bytes: int = 256 << 20
    file_bytes: int = 128 << 20
    lifetime_s: float = 3600.0


@dataclass(slots=True, frozen=True)
class SandboxSpec:
    """What a box is made of.

    `workspace` is a host directory used as the frozen lower layer of the writable workspace (never written);
    `mounts` are further host directories shown read-only at the given absolute paths inside.
    `env` is the whole environment of every command, beside PATH, HOME and LANG: nothing leaks in from the host.
    """

    image: Image = field(default_factory=Image)
    workspace: Path | None = None
    mounts: tuple[tuple[Path, str], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: SandboxLimits = field(default_factory=SandboxLimits)

    @property
    def environment(self) -> dict[str, str]:
        """What every command finds, where `exec` says nothing else."""
        return {"PATH": BIN_PATH, "HOME": HOME, "LANG": "C.UTF-8", **self.env}


@dataclass(slots=True)
class ExecResult:
    """What a command did. `exit_code` is None exactly when it was killed by us (see `killed_by`).

    `stdout_dropped` and `stderr_dropped` count the bytes left out of the middle: head and tail are kept.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    stdout_dropped: int = 0
    stderr_dropped: int = 0
    duration_s: float = 0.0
    killed_by: KilledBy | None = None

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


@dataclass(slots=True, frozen=True)
class Snapshot:
    """A frozen copy of a workspace. Belongs to the backend that took it; give it back with `release`."""

    id: str
    backend: str


class Sandbox(ABC):
    """One live box. Not re-entrant: one call at a time. Made by `start`, ended by `close`.

    Every method may raise `SandboxError(fault="infrastructure")` when the backend is at fault (host, daemon,
    driver) and `SandboxError(fault="ambiguous")` when the box died under a command and nobody can tell why.
    After either, the box is dead and only `close` may be called.  Every other error is about the one call: it was
    refused, nothing of it is left in the box, and the box goes on.  Everywhere, ValueError means an argument that no
    box could take, a NUL character in a word or path or text that is no Unicode among them; UsageError, a call while
    another one runs.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]
    """A subset of {"network_off", "memory", "processes", "disk", "fork", "uid", "seccomp", "images"}; the last is any image."""

    @classmethod
    @abstractmethod
    def unavailable(cls) -> str | None:
        """Why this backend can not run here, and what to type to mend it; None if it can. Probes for real."""

    @classmethod
    def base_digest(cls) -> str:
        """What the image "base" is on this machine, for a run's manifest; "" where nobody can tell. May block."""
        return ""

    @classmethod
    @abstractmethod
    async def start(cls, spec: SandboxSpec) -> Self:
        """Start a box. What it raises leaves nothing behind.

        Raises ValueError for limits that are not positive and finite and for names of variables that are empty or hold
        a "="; UsageError for a mount whose source is not there, or whose target is relative, the root or one of the box's
        own places; SandboxError (infrastructure) with what to do if the image or its digest is not there, if the
        workspace is not there, no directory, unreadable or larger than `disk_bytes`, or if the host can not do it.
        """

    @classmethod
    async def tidy(cls) -> None:
        """End what this event loop keeps ready for later boxes. Boxes in use are left alone. Never raises."""
        return

    @abstractmethod
    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
        max_output: int = 1 << 16,
    ) -> ExecResult:
        """Run one command to its end and return when the direct child ends, even if others hold its pipes.

        Non-zero exit, time-out, kill and missing program (exit 127) are data, and so is what the kernel refuses (exit
        126): a `cwd` that is missing, closed or a file, a program without x bit, argv or env past its limits.  Stdin
        that is not read is dropped.  On a time-out every process of the box but its agent is killed.  `env` is added to
        the spec's.  `timeout` may be infinite.  `max_output` is per stream, in bytes.
        Raises SandboxError as the class says; ValueError if argv is empty or one string, if a variable's name is empty
        or holds a "=", if `timeout` is not positive, if `max_output` is negative or, as all input together, past what
        a backend takes (32 MiB and 64 MiB here).
        """

    @abstractmethod
    async def read(self, path: str, max_bytes: int = 1 << 24) -> bytes:
        """Read a regular file (absolute, or relative to the workspace) as the box's own user would.

        Raises FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError; OSError with EFBIG past
        `max_bytes`, ELOOP (links in a circle, or through /proc to the descriptors of a process), ENAMETOOLONG, EINVAL
        or ENXIO for what is no regular file; ValueError if `max_bytes` is negative.
        """

    @abstractmethod
    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file as the box's own user would, making parent directories.

        Raises PermissionError (a read-only place among them), FileNotFoundError for an empty path, NotADirectoryError,
        IsADirectoryError; OSError with ENOSPC when the box's disk is full (what fitted stays), ELOOP, ENAMETOOLONG,
        EINVAL or ENXIO as `read`; ValueError if `mode` is not within 0 and 0o7777.
        """

    @abstractmethod
    async def snapshot(self) -> Snapshot:
        """Freeze the workspace's files as they are now (files, not processes)."""

    @abstractmethod
    async def restore(self, snapshot: Snapshot) -> None:
        """Put the workspace back to `snapshot`; every process in the box is killed first.

        Raises ValueError for a snapshot of another backend or one already released.
        """

    @abstractmethod
    async def fork(self) -> Self:
        """A new box of the same spec whose workspace starts as a copy of this one; both go on apart."""

    @classmethod
    @abstractmethod
    async def release(cls, snapshot: Snapshot) -> None:
        """Drop a snapshot. Idempotent."""

    @classmethod
    async def sweep(cls) -> int:
        """Remove what drivers that are dead have left behind, if this backend leaves anything. How many boxes it was."""
        return 0

    @abstractmethod
    async def close(self) -> None:
        """Kill every process of the box and remove what it left. Idempotent; never raises for a dead box."""

"""AgentSandbox: a box that is an agent behind a channel. All of the contract but how such a box is started.

Backends say what is special about them in `_resolve` (which root) and `_launch` (the process); `bubblewrap` and `docker`
do, and differ in nothing else.  What a workspace begins with is its base: laid under it, and then a snapshot holds only
what lies above; or streamed into it, and then a snapshot holds everything.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import uuid
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar, Self

from agentgym.errors import SandboxError
from agentgym.sandboxes import archive, seccomp
from agentgym.sandboxes.channel import Channel, Process, Refused
from agentgym.sandboxes.sandbox import (
    SCRATCH_BYTES,
    WORKSPACE,
    ExecResult,
    Image,
    KilledBy,
    Sandbox,
    SandboxLimits,
    SandboxSpec,
    Snapshot,
)
from agentgym.sandboxes.spares import Boot, end_spares, keep_spares, take_spare
from agentgym.sandboxes.workspaces import Sink, Tree, packed

GRACE_S = 30.0
"""How long past a command's own time-out a busy machine may take to say so."""
MOST_OUTPUT = 32 << 20
"""The most that `max_output` may be: what the agent keeps of a stream, it keeps in the box's memory."""
MOST_INPUT = 64 << 20
"""The most that goes in with one command, for the same reason."""
_ENDLESS = 1 << 60
_BOOT_S = 60.0
_SIGKILL = 9


class Frozen:
    """What a Snapshot stands for: the base that it was taken over, and the tree. `whole`: it stands without the base."""

    def __init__(self, base: Tree, tree: Tree, whole: bool) -> None:
        self.base, self.tree, self.whole = base, tree, whole


class AgentSandbox(Sandbox):
    """A box run by the agent of `sandboxes/agent`.

    Beyond the contract: a command that died of a signal not ours reports `exit_code` 128 + the signal and
    `killed_by` "signal"; one with more than 256 MiB of output is killed like a time-out, `killed_by` "output";
    a missing or closed `cwd` is exit 126.  Background processes live on between calls.  `/tmp` (HOME) is scratch:
    it is no part of a snapshot, and `restore` and `fork` begin with an empty one.  A snapshot is held by the driver's
    process and ends with it.
    """

    base_is_launched: ClassVar[bool]
    """Whether `_launch` may give a box its base; else it is always streamed in afterwards."""
    spares: ClassVar[int] = 0
    """How many boxes of the shapes in use are kept ready for the next `start` or `fork`."""
    _snapshots: ClassVar[dict[str, Frozen]] = {}

    def __init__(self, spec: SandboxSpec, image: Image, channel: Channel, base: Tree) -> None:
        self.spec, self.image, self._channel, self._base = spec, image, channel, base
        self._env = spec.environment

    @classmethod
    @abstractmethod
    async def _resolve(cls, spec: SandboxSpec) -> Image:
        """The root that the spec means, with its digest. Raises UsageError or SandboxError with what to do."""

    @classmethod
    @abstractmethod
    async def _launch(cls, spec: SandboxSpec, image: Image, base: Tree) -> Process:
        """Start the agent, over a read-only workspace of `base` or an empty writable one.

        Raises SandboxError with what to do if it can not.
        """

    @classmethod
    async def start(cls, spec: SandboxSpec) -> Self:
        check_spec(spec)
        return await cls._filled(spec, await cls._resolve(spec), await _base(spec))

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
        if isinstance(argv, str | bytes) or not argv:
            raise ValueError("argv must be a list of a program and its arguments, not empty and not one string")
        if not timeout > 0 or not 0 <= max_output <= MOST_OUTPUT:
            raise ValueError(
                f"timeout must be positive and max_output within 0 and {MOST_OUTPUT}, not {timeout!r} and {max_output!r}"
            )
        command = b"\0".join(_text(word) for word in argv)
        variables = b"\0".join(_variable(key, value) for key, value in (self._env | dict(env or {})).items())
        if len(command) + len(variables) + len(stdin) > MOST_INPUT:
            raise ValueError(f"argv, env and stdin come to more than {MOST_INPUT} bytes: write a file and name it")
        process = self._channel.process
        self._channel.ensure_alive()
        if not command:  # one empty word, which the agent would take for none
            return ExecResult(127, b"", b"agentgym: a program without a name\n")
        kills = process.oom_kills()
        request = (b"exec", timeout, max_output, _text(cwd or WORKSPACE), command, variables, stdin)
        try:
            reply = await self._channel.call(*request, cap=2 * max_output, deadline=timeout + GRACE_S)
        except Refused as refused:  # no memory or no descriptor for one more process: the command's doing, or its kin's
            return ExecResult(126, b"", f"agentgym: {refused.strerror}\n".encode())
        result = _result(reply)
        if result.killed_by == "signal" and result.exit_code == 128 + _SIGKILL and process.oom_kills() > kills:
            result.exit_code, result.killed_by = None, "memory"
        return result

    async def read(self, path: str, max_bytes: int = 1 << 24) -> bytes:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must not be negative, not {max_bytes}")
        try:
            return (await self._channel.call(b"read", _text(path), max_bytes, cap=max_bytes))[0]
        except Refused as refused:
            raise OSError(refused.errno, refused.strerror, path) from None

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        if not 0 <= mode <= 0o7777:
            raise ValueError(f"mode must be within 0 and 0o7777, not {mode:#o}")
        try:
            if len(data) > self.spec.limits.disk_bytes:
                raise Refused(errno.ENOSPC, os.strerror(errno.ENOSPC))
            await self._channel.call(b"write", _text(path), mode, feed=io.BytesIO(data))
        except Refused as refused:
            forbidden = refused.errno == errno.EROFS  # the contract has one word for it
            raise OSError(errno.EACCES if forbidden else refused.errno, refused.strerror, path) from None

    async def snapshot(self) -> Snapshot:
        made = Snapshot(uuid.uuid4().hex, self.name)
        self._snapshots[made.id] = await self._freeze()
        return made

    async def restore(self, snapshot: Snapshot) -> None:
        frozen = self._snapshots.get(snapshot.id)
        if frozen is None or snapshot.backend != self.name:
            raise ValueError(
                f"snapshot {snapshot.id} of backend {snapshot.backend!r} is not held here, or was released"
            )
        layered = self._channel.layered
        if frozen.whole == layered or (layered and frozen.base.digest != self._base.digest):
            raise ValueError(f"snapshot {snapshot.id} was taken over another workspace than this box's")
        try:
            await self._channel.call(b"reset", deadline=_BOOT_S)
            with frozen.tree.open() as tree:
                await self._channel.call(b"unpack", deadline=_BOOT_S, feed=tree)
        except Refused as refused:
            await self._channel.close()
            raise SandboxError(f"the workspace can not be restored: {refused.strerror}", "ambiguous") from None

    async def fork(self) -> Self:
        frozen = await self._freeze()
        branch = await self._filled(self.spec, self.image, frozen.tree if frozen.whole else self._base)
        branch._base = self._base
        if frozen.whole:
            return branch
        try:
            with frozen.tree.open() as tree:
                await branch._channel.call(b"unpack", deadline=_BOOT_S, feed=tree)
        except BaseException as error:
            await branch.close()
            if isinstance(error, Refused):
                raise SandboxError(f"the fork can not be filled: {error.strerror}", "ambiguous") from None
            raise
        return branch

    @classmethod
    async def release(cls, snapshot: Snapshot) -> None:
        cls._snapshots.pop(snapshot.id, None)

    async def close(self) -> None:
        await self._channel.close()

    @classmethod
    async def warm_up(cls, spec: SandboxSpec, count: int) -> None:
        """Have `count` boxes like this ready for `start`, whatever their environment, as far as they can be made."""
        check_spec(spec)
        await keep_spares(*cls._shape(spec, await cls._resolve(spec), await _base(spec)), count)

    @classmethod
    async def tidy(cls) -> None:
        await end_spares()

    @classmethod
    def _shape(cls, spec: SandboxSpec, image: Image, base: Tree) -> tuple[Hashable, Boot]:
        """What makes boxes interchangeable before they are handed over, and how one is made."""

        async def boot() -> Channel:
            return await greet(spec, await cls._launch(spec, image, base))

        return (cls, image, spec.mounts, spec.limits, base.digest if cls.base_is_launched else ""), boot

    @classmethod
    async def _filled(cls, spec: SandboxSpec, image: Image, base: Tree) -> Self:
        """A fresh box, its workspace filled from `base`."""
        channel = await take_spare(*cls._shape(spec, image, base), cls.spares)
        if channel.layered or base.size == len(archive.EMPTY):
            return cls(spec, image, channel, base)
        try:
            with base.open() as tree:
                await channel.call(b"unpack", deadline=_BOOT_S, feed=tree, fault="infrastructure")
        except BaseException as error:
            await channel.close()
            if isinstance(error, Refused):
                raise SandboxError(_unfilled(error.strerror, spec)) from None
            raise
        return cls(spec, image, channel, base)

    async def _freeze(self) -> Frozen:
        """What the agent streams of the workspace: opaque here."""
        limit = _stream_limit(self.spec)
        with Sink() as sink:
            try:
                await self._channel.call(b"freeze", limit, cap=limit, deadline=_BOOT_S, sink=sink)
            except Refused as refused:
                await self._channel.close()
                raise SandboxError(f"the workspace can not be frozen: {refused.strerror}", "ambiguous") from None
            return Frozen(self._base, sink.tree(), whole=not self._channel.layered)


async def greet(spec: SandboxSpec, process: Process) -> Channel:
    """The channel to a new box's agent, once it has answered and knows its limits."""
    channel = await Channel.open(process)
    limits = [f"{name}={value}".encode() for name, value in resource_limits(spec.limits, process)]
    program = seccomp.program() or b""
    words: tuple[bytes | float, ...] = (spec.limits.lifetime_s, spec.limits.disk_bytes, program, *limits)
    try:
        (kind,) = await channel.call(b"hello", *words, deadline=_BOOT_S, fault="infrastructure")
    except BaseException as error:
        await channel.close()
        if isinstance(error, Refused):
            raise SandboxError(f"the box's agent can not do as it is told: {error.strerror}") from None
        raise
    channel.layered = kind == b"layered"
    return channel


async def _base(spec: SandboxSpec) -> Tree:
    if spec.workspace is None:
        return packed(None, _stream_limit(spec))
    return await asyncio.to_thread(packed, spec.workspace, _stream_limit(spec))


def _stream_limit(spec: SandboxSpec) -> int:
    """What is in a workspace is at most its size; names and times come on top."""
    return 2 * spec.limits.disk_bytes + (64 << 20)


def _unfilled(why: str | None, spec: SandboxSpec) -> str:
    return f"the workspace can not be filled: {why} (limits.disk_bytes is {spec.limits.disk_bytes})"


def memory_limit(limits: SandboxLimits) -> int:
    """Files of a box live in memory, so what counts its memory counts both: a full disk leaves what was asked for."""
    return limits.memory_bytes + limits.disk_bytes + SCRATCH_BYTES * 5 // 4


def resource_limits(limits: SandboxLimits, process: Process) -> list[tuple[str, int]]:
    """What each command runs under: what is not counted for the box as a whole is bounded for its user or its process."""
    per_command = [("FSIZE", limits.file_bytes), ("CORE", 0), ("NOFILE", 4096)]
    if not process.processes_are_counted:
        per_command.append(("NPROC", limits.processes))
    if not process.memory_is_counted:
        per_command.append(("AS", limits.memory_bytes))
    return per_command


def check_spec(spec: SandboxSpec) -> None:
    """ValueError for what no box can be made of."""
    for name in ("memory_bytes", "processes", "disk_bytes", "file_bytes", "lifetime_s"):
        if not 0 < (value := getattr(spec.limits, name)) < _ENDLESS:
            raise ValueError(f"limits.{name} must be positive and less than 2**60, not {value!r}")
        if not isinstance(value, int) and name != "lifetime_s":
            raise ValueError(f"limits.{name} must be a whole number, not {value!r}")
    for key, value in spec.env.items():
        _variable(key, value)


def _result(reply: list[bytes]) -> ExecResult:
    """The agent's account of a command as the contract has it."""
    code, killed, out, err, out_dropped, err_dropped, seconds = reply
    reasons: dict[bytes, KilledBy] = {b"timeout": "timeout", b"output": "output"}
    reason: KilledBy | None = reasons.get(killed)
    status: int | None = int(code)
    if reason is not None:
        status = None
    elif int(code) < 0:
        status, reason = 128 - int(code), "signal"
    return ExecResult(status, out, err, reason == "timeout", int(out_dropped), int(err_dropped), float(seconds), reason)


def _text(word: str) -> bytes:
    if "\0" in word:
        raise ValueError(f"a NUL character in {word!r}")
    return os.fsencode(word)


def _variable(key: str, value: str) -> bytes:
    if not key or "=" in key:
        raise ValueError(f"{key!r} can not be the name of a variable")
    return _text(key) + b"=" + _text(value)

"""Bubblewrap: the embedded backend. A box is one bwrap process with a persistent agent inside, and three tmpfs.

The root is the host's /usr with everything that could give an answer away hidden (`rootfs`); the workspace is a
sized tmpfs that the agent fills from a stream.  A copy, not an overlay: for a tree of a few hundred files filling
costs less than the agent's boot, it needs no privilege, every file belongs to the box's user whoever owned it on the
host, and start, fork and restore are one and the same path: a fresh box, filled.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar, Self

from agentgym.errors import SandboxError, UsageError
from agentgym.sandboxes import archive, launch, rootfs, seccomp
from agentgym.sandboxes.channel import Channel, Refused
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, Image, KilledBy, Sandbox, SandboxSpec, Snapshot

_GRACE_S = 30.0
"""How long past a command's own time-out a busy machine may take to say so."""
_BOOT_S = 60.0
_SIGKILL = 9


class Bubblewrap(Sandbox):
    """A box made by bubblewrap.

    Beyond the contract: a command that died of a signal not ours reports `exit_code` 128 + the signal and
    `killed_by` "signal"; one with more than 256 MiB of output is killed like a time-out, `killed_by` "output";
    a missing or closed `cwd` is exit 126.  Background processes live on between calls.  `/tmp` (HOME) is scratch:
    it is no part of a snapshot, and `restore` and `fork` begin with an empty one.  A snapshot is held by the driver's
    process and ends with it.
    """

    name: ClassVar[str] = "bubblewrap"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"network_off", "memory", "processes", "disk", "fork"}
        | ({"uid"} if os.geteuid() == 0 else set())
        | ({"seccomp"} if seccomp.program() else set())
    )
    _frozen: ClassVar[dict[str, IO[bytes]]] = {}

    def __init__(self, spec: SandboxSpec, image: Image, channel: Channel) -> None:
        self.spec, self.image, self._channel = spec, image, channel
        self._env = {"PATH": rootfs.BIN_PATH, "HOME": rootfs.HOME, "LANG": "C.UTF-8", **spec.env}

    @classmethod
    def unavailable(cls) -> str | None:
        return launch.probe()

    @classmethod
    async def start(cls, spec: SandboxSpec) -> Self:
        image = await asyncio.to_thread(_resolve, spec)
        if spec.workspace is None:
            return cls(spec, image, await _boot(spec, None))
        with await asyncio.to_thread(_packed, spec.workspace, spec.limits.disk_bytes) as tree:
            return cls(spec, image, await _boot(spec, tree))

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
        if not argv:
            raise ValueError("argv is empty: give a program and its arguments")
        command = b"\0".join(_text(word) for word in argv)
        variables = b"\0".join(_variable(key, value) for key, value in (self._env | dict(env or {})).items())
        self._channel.ensure_alive()
        group = self._channel.process.group
        kills = group.oom_kills() if group else 0
        request = (b"exec", timeout, max_output, _text(cwd or WORKSPACE), command, variables, stdin)
        try:
            reply = await self._channel.call(*request, cap=2 * max_output, deadline=timeout + _GRACE_S)
        except Refused as refused:  # no memory or no descriptor for one more process: the command's doing, or its kin's
            return ExecResult(126, b"", f"agentgym: {refused.strerror}\n".encode())
        result = _result(reply)
        if result.killed_by == "signal" and result.exit_code == 128 + _SIGKILL and group and group.oom_kills() > kills:
            result.exit_code, result.killed_by = None, "memory"
        return result

    async def read(self, path: str, max_bytes: int = 1 << 24) -> bytes:
        try:
            return (await self._channel.call(b"read", _text(path), max_bytes, cap=max_bytes))[0]
        except Refused as refused:
            raise OSError(refused.errno, refused.strerror, path) from None

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        try:
            if len(data) > self.spec.limits.disk_bytes:
                raise Refused(errno.ENOSPC, os.strerror(errno.ENOSPC))
            await self._channel.call(b"write", _text(path), bytes(data), mode)
        except Refused as refused:
            forbidden = refused.errno == errno.EROFS  # the contract has one word for it
            raise OSError(errno.EACCES if forbidden else refused.errno, refused.strerror, path) from None

    async def snapshot(self) -> Snapshot:
        made = Snapshot(uuid.uuid4().hex, self.name)
        self._frozen[made.id] = await self._freeze()
        return made

    async def restore(self, snapshot: Snapshot) -> None:
        frozen = self._frozen.get(snapshot.id)
        if frozen is None or snapshot.backend != self.name:
            raise ValueError(
                f"snapshot {snapshot.id} of backend {snapshot.backend!r} is not held here, or was released"
            )
        self._channel.ensure_alive()
        with _reopened(frozen) as tree:
            await self._channel.close()
            self._channel = await _boot(self.spec, tree)

    async def fork(self) -> Self:
        with await self._freeze() as frozen:
            frozen.seek(0)
            return type(self)(self.spec, self.image, await _boot(self.spec, frozen))

    @classmethod
    async def release(cls, snapshot: Snapshot) -> None:
        frozen = cls._frozen.pop(snapshot.id, None)
        if frozen is not None:
            frozen.close()

    async def close(self) -> None:
        await self._channel.close()

    async def _freeze(self) -> IO[bytes]:
        """The workspace as the agent streams it, in an unlinked file: opaque here, and gone with the driver."""
        frozen = tempfile.TemporaryFile()  # noqa: SIM115  returned open
        try:
            # what is in the workspace is at most its size; names and times come on top
            limit = 2 * self.spec.limits.disk_bytes + (64 << 20)
            await self._channel.call(b"pack", limit, cap=limit, deadline=_BOOT_S, sink=frozen)
            frozen.flush()
        except Refused as refused:
            frozen.close()
            await self._channel.close()
            raise SandboxError(f"the workspace can not be frozen: {refused.strerror}", "ambiguous") from None
        except BaseException:
            frozen.close()
            raise
        return frozen


async def _boot(spec: SandboxSpec, tree: IO[bytes] | None) -> Channel:
    """A fresh box, its workspace filled from `tree`."""
    try:
        process = await launch.Process.launch(spec)
    except OSError as error:
        raise SandboxError(f"a box can not be started: {launch.probe() or error}") from error
    channel = await Channel.open(process)
    limits = launch.resource_limits(spec.limits, channel.process.group is not None)
    settings = [f"{name}={value}".encode() for name, value in limits.items()]
    try:
        await channel.call(b"hello", spec.limits.lifetime_s, *settings, deadline=_BOOT_S, fault="infrastructure")
        if tree is not None:
            await channel.call(b"unpack", deadline=_BOOT_S, feed=tree, fault="infrastructure")
    except Refused as refused:
        await channel.close()
        raise SandboxError(
            f"the workspace can not be filled: {refused.strerror} (limits.disk_bytes is {spec.limits.disk_bytes})"
        ) from None
    except BaseException:
        await channel.close()
        raise
    return channel


def _reopened(frozen: IO[bytes]) -> IO[bytes]:
    """The same bytes from their start, with a position of its own: a snapshot may fill several boxes at once."""
    return open(f"/proc/self/fd/{frozen.fileno()}", "rb")


def _packed(workspace: Path, limit: int) -> IO[bytes]:
    tree = tempfile.TemporaryFile()  # noqa: SIM115  returned open
    try:
        archive.pack(str(workspace), tree.write, 2 * limit + (64 << 20), foreign=True)
    except OSError as error:
        tree.close()
        raise SandboxError(f"the workspace {workspace} can not be read: {error}") from error
    tree.seek(0)
    return tree


def _resolve(spec: SandboxSpec) -> Image:
    """The root that the spec means, with its digest. Refuses what this backend can not give."""
    for source, target in spec.mounts:
        inside = PurePosixPath(target)
        if not inside.is_absolute() or inside.is_relative_to(WORKSPACE) or ".." in inside.parts:
            raise UsageError(f"mount {source} at {target!r}: the target must be absolute and outside {WORKSPACE}")
        if not Path(source).exists():
            raise UsageError(f"mount {source} at {target!r}: there is no such path on this host")
    digest = rootfs.host_root().digest
    if spec.image.name != "host":
        raise SandboxError(f"bubblewrap has the image 'host' only, not {spec.image.name!r}: use the docker backend")
    if spec.image.digest not in ("", digest):
        raise SandboxError(f"the image 'host' is {digest} here, not {spec.image.digest} as was asked for")
    return Image("host", digest)


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

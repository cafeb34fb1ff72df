"""A "box" that confines nothing: a plain subprocess on the host. It shows that the attacks notice when they get through.

Only for those that do no harm to a host.  `close` leaves what a command left, as such a box would; `clean` removes it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from agentgym.sandboxes.sandbox import ExecResult, Sandbox, SandboxSpec, Snapshot

_MOST = 4 << 20
_MARK = "AGENTGYM_UNCONFINED"


class Unconfined(Sandbox):
    name = "unconfined"
    capabilities = frozenset({"network_off", "memory", "processes", "disk", "fork", "seccomp"})
    run = uuid.uuid4().hex
    places: ClassVar[list[Path]] = []

    def __init__(self, spec: SandboxSpec) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="agentgym-unconfined-"))
        self.places.append(self.place)
        if spec.workspace is not None:
            shutil.copytree(spec.workspace, self.place, dirs_exist_ok=True)

    @classmethod
    def clean(cls) -> None:
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"{_MARK}={cls.run}".encode() in environ.read_bytes():
                    os.kill(int(environ.parent.name), signal.SIGKILL)
        while cls.places:
            shutil.rmtree(cls.places.pop(), ignore_errors=True)

    @classmethod
    def unavailable(cls) -> str | None:
        return None

    @classmethod
    async def start(cls, spec: SandboxSpec) -> Unconfined:
        return cls(spec)

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
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self.place,
                env={**os.environ, **(env or {}), _MARK: self.run},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                close_fds=False,
            )
            killed = None
            for _ in range(int(timeout * 20) + 1):
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 0.05)
                    break
                if max(os.fstat(each.fileno()).st_size for each in (out, err)) > _MOST:
                    killed = "output"
                    break
            else:
                killed = "timeout"
            if killed:
                process.kill()
                await process.wait()
            streams = [os.pread(each.fileno(), _MOST, 0) for each in (out, err)]
        return ExecResult(None if killed else process.returncode, *streams, killed == "timeout", killed_by=killed)

    async def read(self, path: str, max_bytes: int = 1 << 24) -> bytes:
        return (self.place / path).read_bytes()

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        (self.place / path).write_bytes(data)

    async def snapshot(self) -> Snapshot:
        raise NotImplementedError

    async def restore(self, snapshot: Snapshot) -> None:
        raise NotImplementedError

    async def fork(self) -> Unconfined:
        raise NotImplementedError

    @classmethod
    async def release(cls, snapshot: Snapshot) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

"""The provers of a runtime: so many processes, each in a box of its own, kept warm where their last problem left them.

Whoever wants a problem gets the process that has most of its header run already.  A process that has grown is ended
instead of being kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym.envs.prover.coq import programs
from agentgym.envs.prover.coq.programs import Programs, Words
from agentgym.envs.prover.coq.session import ARGUMENTS, ENV, Session
from agentgym.errors import SandboxError, UsageError
from agentgym.sandboxes.door import Door
from agentgym.sandboxes.sandbox import Image, Sandbox, SandboxLimits, SandboxSpec

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

IMAGE = "prover"
_LIFETIME_S = 7 * 86_400.0
_STACK_BYTES = 8 << 20
_FINDLIB = Path("/etc/ocamlfind.conf")
_HELP = {
    "bubblewrap": "it shows the programs of this machine: apt-get install coq",
    "docker": "build its image: python -m agentgym.sandboxes.docker_images prover (or use --sandbox bubblewrap)",
}


class Pool:
    """At most `provers` processes of at most `memory_bytes` each; one that holds more than `keep_bytes` is not kept."""

    def __init__(
        self, backend: type[Sandbox], ide: Words, door: Door, provers: int, memory_bytes: int, keep_bytes: int
    ) -> None:
        self._backend, self._ide, self._door = backend, ide, door
        self._places = asyncio.Semaphore(provers)
        self._provers = provers
        self._memory, self._keep = memory_bytes, keep_bytes
        self._idle: list[Session] = []
        self._leased: set[Session] = set()
        self._starting = 0

    @classmethod
    async def open(cls, runtime: Runtime, provers: int, memory_bytes: int, keep_bytes: int) -> Pool:
        """A pool that ends with `runtime`. Raises UsageError, saying what to install, if boxes have no Coq."""
        ide = (await require(runtime)).ide
        pool = cls(runtime.sandbox_class, ide, await Door.open(), provers, memory_bytes, keep_bytes)
        runtime.on_close(pool.close)
        return pool

    async def lease(self, module: str, start: Sequence[str] = (), path: Sequence[str] = ()) -> Session:
        """A session for `module`, not yet brought to `start` and `path`. Waits while all provers are at work."""
        await self._places.acquire()
        try:
            session = await self._best(module, start, path)
        except BaseException:
            self._places.release()
            raise
        self._leased.add(session)
        return session

    async def give_back(self, session: Session) -> None:
        """Keep `session` warm if it is fit for more. Idempotent."""
        if session not in self._leased:
            return
        self._leased.discard(session)
        try:
            if session.dead or session.has_outgrown(self._keep):
                await session.close()
            else:
                self._idle.append(session)
        finally:
            self._places.release()

    async def close(self) -> None:
        """End every prover. Idempotent."""
        sessions, self._idle = [*self._idle, *self._leased], []
        self._leased.clear()
        for session in sessions:
            await session.close()
        await self._door.close()

    async def _best(self, module: str, start: Sequence[str], path: Sequence[str]) -> Session:
        """The idle session that saves most, else a new one in place of the one idle longest."""
        fitting = [each for each in self._idle if each.module == module]
        if fitting:
            near = [each for each in fitting if each.began_with(start)] or fitting
            best = near[0]
            if len(near) > 1:
                best = max(near, key=lambda each: (each.common(start, path), -len(each.texts)))
            self._idle.remove(best)
            return best
        self._starting += 1
        try:
            while self._idle and len(self._idle) + len(self._leased) + self._starting > self._provers:
                await self._idle.pop(0).close()
            return await self._start(module)
        finally:
            self._starting -= 1

    async def _start(self, module: str) -> Session:
        limits = SandboxLimits(
            memory_bytes=self._memory, processes=16, disk_bytes=32 << 20, file_bytes=16 << 20, lifetime_s=_LIFETIME_S
        )
        box = await self._backend.start(ground(self._backend, limits, self._door.mount))
        rlimits = {"AS": self._memory, "STACK": _STACK_BYTES}
        talk = await self._door.start(box, [*self._ide, *ARGUMENTS, "-top", module], env=ENV, rlimits=rlimits)
        return await Session.over(talk, module)


def ground(backend: type[Sandbox], limits: SandboxLimits, *mounts: tuple[Path, str]) -> SandboxSpec:
    """What boxes with Coq are made of.

    bubblewrap shows the Coq of this machine, and where findlib's packages are, which stands in /etc; Docker has `docker/prover`.
    """
    if backend.name == "docker":
        return SandboxSpec(image=Image(IMAGE), mounts=mounts, limits=limits)
    shown = tuple((path, str(path)) for path in [_FINDLIB] if backend.name == "bubblewrap" and path.exists())
    return SandboxSpec(mounts=(*mounts, *shown), limits=limits)


async def require(runtime: Runtime) -> Programs:
    """The Coq that boxes have. Raises UsageError, saying what to install; looked for once a runtime."""

    async def look() -> Programs | None:
        try:
            box = await runtime.sandbox(ground(runtime.sandbox_class, SandboxLimits()))
        except SandboxError as error:
            if runtime.sandbox_class.name == "docker":
                raise UsageError(f"{error}; {_HELP['docker']}") from None
            raise
        try:
            argv = ["/bin/bash", "--norc", "-c", programs.LOOK, "bash", *programs.NAMES]
            return programs.chosen((await box.exec(argv, cwd="/")).stdout.decode())
        finally:
            await runtime.release_sandbox(box)

    found = await runtime.resource(("prover-coq",), look)
    if found is None:
        backend = runtime.sandbox_class.name
        how = _HELP.get(backend, "its image must have the package coq")
        raise UsageError(f"boxes of the sandbox backend {backend!r} have no Coq; {how}")
    return found

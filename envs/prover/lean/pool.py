"""The Lean REPLs of a runtime: so many processes, each in a box that shows Lean and the user's project and nothing else of theirs."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym.errors import UsageError
from agentgym.sandboxes.door import Door
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec

if TYPE_CHECKING:
    from agentgym.envs.prover.lean.config import LeanConfig
    from agentgym.envs.prover.lean.repl import Repl
    from agentgym.runtime import Runtime

_INSIDE = "/opt/lean"
_LIFETIME_S = 7 * 86_400.0
_INSTALL = "install elan and Lean 4, build the REPL (lean-interact's LeanREPLConfig does), and say where they are: repl=DIR project=DIR"


@dataclass(slots=True, frozen=True)
class Lean:
    """Where Lean is: what boxes are shown, the program, and what it needs to know."""

    mounts: tuple[tuple[Path, str], ...]
    program: str
    env: dict[str, str]


def find(config: LeanConfig) -> Lean:
    """Ask the user's own `lake`, here, where the project's compiled files are. Raises UsageError saying what to install."""
    if config.repl is None or not (config.repl / ".lake/build/bin/repl").is_file():
        raise UsageError(f"there is no Lean REPL in {config.repl}: {_INSTALL}")
    try:
        asked = [config.lake, "env"]
        told = subprocess.run(asked, cwd=config.project or config.repl, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"`{config.lake} env` does not run: {error}; {_INSTALL}") from None
    if told.returncode:
        raise UsageError(f"`{config.lake} env` fails in {config.project or config.repl}: {told.stderr[-500:]}")
    said = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
    folders = [Path(each) for each in said.get("LEAN_PATH", "").split(os.pathsep) if each and Path(each).is_dir()]
    paths = {path: f"{_INSIDE}/path/{number}" for number, path in enumerate(folders)}
    mounts = [(config.repl / ".lake/build/bin", f"{_INSIDE}/bin"), *paths.items()]
    env = {"LEAN_PATH": os.pathsep.join(paths.values())}
    if root := said.get("LEAN_SYSROOT"):
        inside = f"{_INSIDE}/sysroot"
        mounts.append((Path(root), inside))
        env |= {"LEAN_SYSROOT": inside, "LD_LIBRARY_PATH": f"{inside}/lib:{inside}/lib/lean"}
    return Lean(tuple(mounts), f"{_INSIDE}/bin/repl", env)


class LeanPool:
    """At most `provers` processes; one that holds more than `keep_bytes` is not kept, since a REPL frees no proof states."""

    def __init__(self, runtime: Runtime, door: Door, lean: Lean, config: LeanConfig) -> None:
        self._runtime, self._door, self._lean, self._config = runtime, door, lean, config
        self._places = asyncio.Semaphore(config.provers)
        self._idle: list[Repl] = []
        self._leased: set[Repl] = set()

    @classmethod
    async def open(cls, runtime: Runtime, config: LeanConfig) -> LeanPool:
        """A pool that ends with `runtime`. Raises UsageError, saying what to install."""
        try:
            import lean_interact  # noqa: F401
        except ImportError:
            raise UsageError("Lean needs lean-interact: pip install 'agentgym[lean]'") from None
        lean = await asyncio.to_thread(find, config)
        pool = cls(runtime, await Door.open(), lean, config)
        runtime.on_close(pool.close)
        return pool

    async def lease(self, *wanted: Hashable) -> Repl:
        """A REPL, one that knows the first possible of `wanted` if there is one. Waits while all are at work."""
        await self._places.acquire()
        try:
            repl = self._best(wanted) or await self.fresh()
        except BaseException:
            self._places.release()
            raise
        self._leased.add(repl)
        return repl

    async def give_back(self, repl: Repl) -> None:
        """Keep it warm if it is fit for more. Idempotent."""
        if repl not in self._leased:
            return
        self._leased.discard(repl)
        try:
            if repl.dead or repl.memory_bytes() > self._config.keep_bytes:
                await repl.close()
            else:
                self._idle.append(repl)
        finally:
            self._places.release()

    async def fresh(self) -> Repl:
        """A REPL of the caller's own, in a fresh box; theirs to close."""
        from agentgym.envs.prover.lean.repl import Repl

        limits = SandboxLimits(memory_bytes=self._config.memory_bytes, processes=64, lifetime_s=_LIFETIME_S)
        spec = SandboxSpec(mounts=(self._door.mount, *self._lean.mounts), limits=limits)
        box = await self._runtime.sandbox_class.start(spec)
        return Repl(await self._door.start(box, [self._lean.program], env=self._lean.env, rlimits={}))

    async def close(self) -> None:
        """End every REPL. Idempotent."""
        repls, self._idle = [*self._idle, *self._leased], []
        self._leased.clear()
        for repl in repls:
            await repl.close()
        await self._door.close()

    def _best(self, wanted: tuple[Hashable, ...]) -> Repl | None:
        if not self._idle:
            return None
        best = min(self._idle, key=lambda repl: next((n for n, key in enumerate(wanted) if key in repl.known), 99))
        self._idle.remove(best)
        return best

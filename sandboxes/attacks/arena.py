"""What an attack is, and where it is fought: one backend, a box that harmless probes share, fresh ones for the rest.

An attack is a coroutine function that returns what stopped it, in words that were observed, and raises Succeeded if it
got what it wanted.  Its docstring is what it tries.  Anything else that it raises leaves the matter open, which counts
as not stopped: an attack that does not run proves nothing.
"""

from __future__ import annotations

import asyncio
import importlib
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from agentgym.errors import SandboxError
from agentgym.sandboxes.attacks.probe import verdict, with_prelude
from agentgym.sandboxes.conformance import MIB, SMALL, Backend, sh
from agentgym.sandboxes.sandbox import ExecResult, Sandbox, SandboxLimits, SandboxSpec

__all__ = [
    "FAMILIES", "MIB", "SMALL", "Arena", "Attack", "Inconclusive", "Outcome", "Succeeded",
    "attack", "attacks", "refuse_if", "require", "run_attacks", "succeeded",
]  # fmt: skip

_DEADLINE_S = 120.0
FAMILIES = (
    "network", "filesystem", "secrets", "proc", "privileges", "kernel", "the_agent",
    "processes", "memory", "disk", "floods", "transfer", "leftovers", "neighbours",
)  # fmt: skip


class Succeeded(AssertionError):
    """An attack got what it wanted; the text is what."""


class Inconclusive(Exception):
    """An attack could not be carried out, so nothing was learnt."""


@dataclass(frozen=True)
class Outcome:
    """How one attack went. `seen` is what stopped it or, if not `held`, what it got."""

    name: str
    tries: str
    held: bool
    seen: str


class Arena:
    """One backend under attack. Close it at the end."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._shared: Sandbox | None = None

    async def box(self) -> Sandbox:
        """A box shared by attacks that change nothing in it if they fail."""
        if self._shared is None:
            self._shared = await self.backend.start(SandboxSpec(limits=SMALL))
        return self._shared

    @asynccontextmanager
    async def fresh(self, limits: SandboxLimits = SMALL, **spec: Any) -> AsyncIterator[Sandbox]:
        """A box of the attack's own, closed at the end."""
        sandbox = await self.backend.start(SandboxSpec(limits=limits, **spec))
        try:
            yield sandbox
        finally:
            await sandbox.close()

    async def probe(self, script: str, sandbox: Sandbox | None = None, timeout: float = 40.0, **values: object) -> str:
        """Run a Python script inside that ends with got(...) or stopped(...): what stopped it."""
        try:
            box = sandbox or await self.box()
            done = await box.exec(["python3", "-c", with_prelude(script, values)], timeout=timeout)
        except SandboxError as error:
            await self._forget()
            raise Succeeded(f"the box died: {error}") from error
        if (said := verdict(done.stdout)) is None:
            raise Inconclusive(f"the probe did not say how it went: {done}")
        if said[0]:
            raise Succeeded(said[1])
        return said[1]

    async def sh(self, script: str, **options: Any) -> ExecResult:
        """A line of bash in the shared box."""
        try:
            return await sh(await self.box(), script, **options)
        except SandboxError as error:
            await self._forget()
            raise Succeeded(f"the box died: {error}") from error

    async def close(self) -> None:
        await self._forget()

    async def _forget(self) -> None:
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.close()


@dataclass(frozen=True)
class Attack:
    """One attack: `run` returns what stopped it. `needs` is the capability of the backend that has to stop it."""

    name: str
    tries: str
    family: str
    run: Callable[[Arena], Awaitable[str]]
    needs: str | None

    async def outcome(self, arena: Arena) -> Outcome:
        try:
            seen = await asyncio.wait_for(self.run(arena), _DEADLINE_S)
            return Outcome(self.name, self.tries, True, seen)
        except Succeeded as success:
            return Outcome(self.name, self.tries, False, str(success))
        except Exception:
            return Outcome(self.name, self.tries, False, f"no result: {traceback.format_exc(limit=-3)}")


_ATTACKS: dict[str, Attack] = {}

_Run = Callable[[Arena], Awaitable[str]]


def attack(needs: str | None = None) -> Callable[[_Run], _Run]:
    """Register a coroutine function under its own name; the first line of its docstring is what it tries."""

    def register(function: _Run) -> _Run:
        name, text = function.__name__, (function.__doc__ or "").strip().splitlines()
        family = function.__module__.rpartition(".")[2]
        _ATTACKS[name] = Attack(name, text[0].rstrip(".") if text else "", family, function, needs)
        return function

    return register


def attacks(backend: Backend | None = None) -> list[Attack]:
    """Every attack, or those that the backend's capabilities promise to stop."""
    for family in FAMILIES:
        importlib.import_module(f"agentgym.sandboxes.attacks.{family}")  # which registers its attacks

    return [each for each in _ATTACKS.values() if backend is None or each.needs in (None, *backend.capabilities)]


async def run_attacks(backend: Backend) -> list[Outcome]:
    """All that apply, one after another."""
    arena = Arena(backend)
    try:
        return [await each.outcome(arena) for each in attacks(backend)]
    finally:
        await arena.close()


def succeeded(what: object) -> NoReturn:
    raise Succeeded(str(what))


def refuse_if(got: object, what: object) -> None:
    """Succeeded if the attack got something."""
    if got:
        raise Succeeded(str(what))


def require(done: object, seen: object) -> None:
    """Inconclusive if a step that the attack builds on did not work."""
    if not done:
        raise Inconclusive(str(seen))

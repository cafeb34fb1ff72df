"""What every sandbox backend must pass, ours and yours: `await check_sandbox(MyBackend)`.

Not a test file: no test framework is needed.  The checks themselves are in `conformance_exec`, `conformance_files` and
`conformance_walls`; each starts boxes of its own and raises Nonconforming with what it saw.  A check that needs a
capability which the backend does not declare is left out.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym.sandboxes.sandbox import ExecResult, Sandbox, SandboxLimits, SandboxSpec

MIB = 1 << 20
SMALL = SandboxLimits(memory_bytes=192 * MIB, processes=48, disk_bytes=24 * MIB, file_bytes=16 * MIB, lifetime_s=300)
_DEADLINE_S = 120.0

Backend = type[Sandbox]


class Nonconforming(AssertionError):
    """A backend does not do what the contract says; the text is what was seen."""


@dataclass(frozen=True)
class Check:
    """One property: `run` returns if it holds. `needs` is the capability without which it is not asked for."""

    name: str
    run: Callable[[Backend], Awaitable[None]]
    needs: str | None


CHECKS: dict[str, Check] = {}


def check(
    needs: str | None = None,
) -> Callable[[Callable[[Backend], Awaitable[None]]], Callable[[Backend], Awaitable[None]]]:
    """Register a coroutine function as a check under its own name."""

    def register(function: Callable[[Backend], Awaitable[None]]) -> Callable[[Backend], Awaitable[None]]:
        name = function.__name__
        CHECKS[name] = Check(name, function, needs)
        return function

    return register


def checks(backend: Backend | None = None) -> list[Check]:
    """Every check, or those that the backend's capabilities call for."""
    from agentgym.sandboxes import conformance_exec, conformance_files, conformance_walls  # noqa: F401  they register

    return [each for each in CHECKS.values() if backend is None or each.needs in (None, *backend.capabilities)]


async def check_sandbox(backend: Backend) -> list[tuple[str, bool, str]]:
    """Run all that apply, one after another: (name, held, what was seen if not)."""
    results = []
    for each in checks(backend):
        try:
            await asyncio.wait_for(each.run(backend), _DEADLINE_S)
            results.append((each.name, True, ""))
        except Nonconforming as seen:
            results.append((each.name, False, str(seen)))
        except Exception:
            results.append((each.name, False, traceback.format_exc(limit=-3)))
    return results


def expect(holds: object, seen: object) -> None:
    """Go on if it holds; else say what was seen instead."""
    if not holds:
        raise Nonconforming(str(seen))


@asynccontextmanager
async def box(backend: Backend, workspace: Path | None = None, **spec: Any) -> AsyncIterator[Sandbox]:
    """A small box, closed at the end."""
    sandbox = await backend.start(SandboxSpec(workspace=workspace, **{"limits": SMALL, **spec}))
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def sh(sandbox: Sandbox, script: str, **options: Any) -> ExecResult:
    """Run a line of bash."""
    return await sandbox.exec(["bash", "-c", script], **options)


async def out(sandbox: Sandbox, script: str, **options: Any) -> str:
    """The output of a line of bash that must succeed."""
    result = await sh(sandbox, script, **options)
    expect(result.ok, f"`{script}` gave {result}")
    return result.stdout.decode()

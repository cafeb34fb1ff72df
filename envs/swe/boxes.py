"""How tests get their box: from a runtime's verifier places, or straight from a backend. Nothing is decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from agentgym.envs.swe.runner import PYTHON, OpenBox
from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import Sandbox, SandboxSpec

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


def of_runtime(runtime: Runtime) -> OpenBox:
    """Boxes out of the runtime's places for verifiers."""

    @asynccontextmanager
    async def leased(spec: SandboxSpec) -> AsyncIterator[Sandbox]:
        box = await runtime.sandbox(spec, verifier=True)
        try:
            yield box
        finally:
            await runtime.release_sandbox(box)

    return leased


def of_backend(backend: type[Sandbox]) -> OpenBox:
    """Boxes of one backend, as many as are asked for."""

    @asynccontextmanager
    async def started(spec: SandboxSpec) -> AsyncIterator[Sandbox]:
        box = await backend.start(spec)
        try:
            yield box
        finally:
            await box.close()

    return started


async def python_of(open_box: OpenBox) -> tuple[int, int]:
    """The version of the interpreter inside a box."""
    opened: AbstractAsyncContextManager[Sandbox] = open_box(SandboxSpec())
    async with opened as box:
        done = await box.exec([*PYTHON, "-c", "import sys; print(*sys.version_info[:2])"], cwd="/")
    try:
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except ValueError:
        said = done.stderr[-300:].decode("utf-8", "replace")
        raise SandboxError(f"the box has no Python that answers: {said}") from None

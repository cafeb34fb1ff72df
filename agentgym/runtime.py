"""Runtime: what is shared and dear, once a process, and the limits on it. Environments lease at reset, return at close.

It knows no sandbox, browser or prover by name: backends come through entry points, other resources through
`Environment.open_shared` and `Runtime.resource`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentgym.envspec import Config, EnvSpec
from agentgym.errors import UsageError
from agentgym.tasks import TaskSet

if TYPE_CHECKING:
    from agentgym.environment import Environment
    from agentgym.sandboxes.sandbox import Sandbox, SandboxSpec

T = TypeVar("T")


def default_cache() -> Path:
    """Where downloads and verdicts are kept: AGENTGYM_CACHE, else ~/.cache/agentgym."""
    return Path(os.environ.get("AGENTGYM_CACHE") or Path.home() / ".cache" / "agentgym")


@dataclass(slots=True, frozen=True)
class RuntimeLimits:
    """How much may be open at once. Verifiers have boxes of their own, or N episodes holding N boxes would deadlock."""

    sandboxes: int = field(default_factory=lambda: 4 * (os.cpu_count() or 1))
    verifier_sandboxes: int = field(default_factory=lambda: os.cpu_count() or 1)
    model_calls: int = 64
    fork_wait_s: float = 120.0
    """How long a fork waits for a place: whoever asks for it holds one, so all of them might wait for each other."""


class Runtime:
    """One per process and event loop; an async context manager.

    `backend`: a sandbox backend's name, or "auto"; by default what AGENTGYM_SANDBOX says, else "auto".
    """

    def __init__(
        self, *, backend: str | None = None, cache: Path | None = None, limits: RuntimeLimits | None = None
    ) -> None:
        self.backend = backend or os.environ.get("AGENTGYM_SANDBOX") or "auto"
        self.cache = cache or default_cache()
        self.limits = limits or RuntimeLimits()
        self.model_calls = asyncio.Semaphore(self.limits.model_calls)
        self._boxes = asyncio.Semaphore(self.limits.sandboxes)
        self._verifier_boxes = asyncio.Semaphore(self.limits.verifier_sandboxes)
        self._open: dict[Sandbox, asyncio.Semaphore] = {}
        self._resources: dict[Any, asyncio.Future[Any]] = {}
        self._task_sets: dict[Any, TaskSet] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._backend_class: type[Sandbox] | None = None

    async def __aenter__(self) -> Runtime:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def resource(self, key: Any, opener: Callable[[], Awaitable[T]]) -> T:
        """What `opener` makes, made once for `key`; concurrent callers wait for the first. A failure is not kept."""
        while True:
            if key not in self._resources:
                return await self._open_resource(key, opener)
            shared = self._resources[key]
            try:
                result: T = await asyncio.shield(shared)
                return result
            except asyncio.CancelledError:
                here = asyncio.current_task()
                if not shared.cancelled() or (here is not None and here.cancelling()):
                    raise  # we are cancelled; otherwise only the opener was, and somebody else must open

    async def _open_resource(self, key: Any, opener: Callable[[], Awaitable[T]]) -> T:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._resources[key] = future
        try:
            opened = await opener()
        except BaseException as error:
            self._resources.pop(key, None)
            if isinstance(error, Exception):
                future.set_exception(error)
                future.exception()  # there may be nobody else waiting: mark it as seen
            else:
                future.cancel()
            raise
        future.set_result(opened)
        return opened

    async def shared_of(self, cls: type[Environment[Any]], config: Config) -> Any:
        """`cls.open_shared(config)`, once for each class and configuration."""
        key = (cls, config.model_dump_json())
        return await self.resource(key, lambda: cls.open_shared(config, self))

    def tasks(self, spec: EnvSpec) -> TaskSet:
        """The task set of `spec` under its configuration, made once."""
        key = (spec.id, spec.config.model_dump_json())
        if key not in self._task_sets:
            self._task_sets[key] = spec.tasks(spec.config, self)
        return self._task_sets[key]

    def on_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Have `closer` awaited when the runtime closes, in reverse order."""
        self._closers.append(closer)

    @property
    def sandbox_class(self) -> type[Sandbox]:
        """The backend in use. Raises UsageError, saying what to install, if there is none."""
        if self._backend_class is None:
            from agentgym.backends import choose

            self._backend_class = choose(self.backend)
        return self._backend_class

    async def sandbox(self, spec: SandboxSpec, *, verifier: bool = False) -> Sandbox:
        """Lease a fresh box; waits while too many are open. Give it back with `release_sandbox`.

        Raises SandboxError if it can not start, UsageError if no backend works here.
        """
        backend = self.sandbox_class
        gate = self._verifier_boxes if verifier else self._boxes
        await gate.acquire()
        try:
            box = await backend.start(spec)
        except BaseException:
            gate.release()
            raise
        self._open[box] = gate
        return box

    async def fork_sandbox(self, box: Sandbox) -> Sandbox:
        """Lease a fork of `box`. Raises UsageError if no place is given back in time (`limits.fork_wait_s`)."""
        gate = self._open.get(box, self._boxes)
        try:
            await asyncio.wait_for(gate.acquire(), self.limits.fork_wait_s)
        except TimeoutError:
            raise UsageError(
                f"all {self.limits.sandboxes} boxes are open and none was given back within {self.limits.fork_wait_s:g} s: "
                "who forks holds one meanwhile, so raise RuntimeLimits.sandboxes or close branches sooner"
            ) from None
        try:
            branch = await box.fork()
        except BaseException:
            gate.release()
            raise
        self._open[branch] = gate
        return branch

    async def release_sandbox(self, box: Sandbox) -> None:
        """Close a leased box and free its place. Idempotent."""
        gate = self._open.pop(box, None)
        if gate is None:
            return
        try:
            await box.close()
        finally:
            gate.release()

    @property
    def leaks(self) -> list[str]:
        """What is still leased: empty when every environment has been closed."""
        return [f"sandbox {box!r}" for box in self._open]

    async def close(self) -> None:
        """Close every box and resource. Idempotent."""
        for box in list(self._open):
            await self.release_sandbox(box)
        while self._closers:
            await self._closers.pop()()
        if self._backend_class is not None:
            await self._backend_class.tidy()
        self._resources.clear()
        self._task_sets.clear()

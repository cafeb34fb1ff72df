"""Rollouts for a trainer: from a synchronous training loop into the asynchronous engine and back. No learning here.

One event loop serves all batches of a training run; Ctrl-C during a batch cancels its episodes, which close their
boxes, and reaches the caller as KeyboardInterrupt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agentgym.envspec import EnvSpec
from agentgym.errors import TooManyFailures, UsageError
from agentgym.policy import Policy
from agentgym.rollout import FailureLimit, collect
from agentgym.runtime import Runtime
from agentgym.seeds import derive_seed
from agentgym.store import Store
from agentgym.tasks import Task
from agentgym.trainers.ranks import Ranks
from agentgym.types import Trajectory

T = TypeVar("T")


class Engine:
    """An event loop and a Runtime on it, for synchronous callers; a context manager. `run` must not be nested."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime()
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end; on Ctrl-C cancel, let it clean up, and raise KeyboardInterrupt."""
        return self._runner.run(work)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the runtime with all that is open, and the loop."""
        try:
            self._runner.run(self.runtime.close())
        finally:
            self._runner.close()


@dataclass(slots=True)
class Play:
    """How batches of episodes are played: the same for every batch of a run.

    max_failed_share: of a batch; above it TooManyFailures is raised, naming the last cause.
    folder: where trajectories are stored, one store a batch; None keeps none. Ranks but the first have one of their own.
    ranks: who plays the batch together; each is told all of it.
    hash_states: whether turns say the hash of the state that they began in.
    """

    env: str | EnvSpec
    policy: Policy
    engine: Engine
    seed: int = 0
    concurrency: int = 64
    max_failed_share: float = 0.25
    folder: Path | None = None
    run: str = field(default="run")
    hash_states: bool = False
    ranks: Ranks = field(default_factory=Ranks)

    def __call__(self, tasks: Sequence[Task], group_size: int = 1, batch: int | str = 0) -> list[Trajectory]:
        """`group_size` episodes of each task, task by task. `batch` names the batch and seeds its sampling."""
        mine = self.ranks.mine(tasks)
        played = self.ranks.all(lambda: self.engine.run(self._collect(mine, group_size, batch)))
        order = {task.id: index for index, task in enumerate(tasks)}
        played.sort(key=lambda trajectory: (order[trajectory.key.task], trajectory.key.sample))
        failed = [trajectory for trajectory in played if trajectory.status == "failed"]
        if len(failed) > self.max_failed_share * len(played):
            raise TooManyFailures(f"{len(failed)} of {len(played)} episodes failed, the last with: {failed[-1].cause}")
        return played

    def _store(self, batch: int | str) -> Store | None:
        place = f"{batch}-rank{self.ranks.index}" if self.ranks.index else str(batch)
        store = None if self.folder is None else Store(self.folder / place)
        if store is not None and len(store):
            raise UsageError(f"{store.folder} holds episodes of an earlier run: choose another folder")
        return store

    async def _collect(self, tasks: Sequence[Task], group_size: int, batch: int | str) -> list[Trajectory]:
        episodes = collect(
            self.env,
            self.policy,
            tasks,
            runtime=self.engine.runtime,
            run=f"{self.run}/{batch}",
            seed=derive_seed("batch", self.seed, batch),
            group_size=group_size,
            concurrency=min(self.concurrency, len(tasks) * group_size),
            store=self._store(batch),
            failures=FailureLimit(max(self.max_failed_share, 0.25)),
            hash_states=self.hash_states,
        )
        async with aclosing(episodes) as ending:  # type: ignore[type-var]
            return [trajectory async for trajectory in ending]

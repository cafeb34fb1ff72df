"""`collect`: many episodes at once, each ending as scored, masked or failed, each stored as soon as it ends.

Infrastructure failure is retried on a fresh environment and then is a `failed` trajectory: never reward 0, never the
end of the batch.  What nobody can attribute is retried once and, if it happens again, is the agent's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.episode import Episode, is_ambiguous
from agentgym.errors import AgentGymError, SandboxError, TooManyFailures, UsageError, VerifierError
from agentgym.policy import Policy
from agentgym.registry import make
from agentgym.runtime import Runtime
from agentgym.store import Store
from agentgym.tasks import Task
from agentgym.types import EpisodeKey, Trajectory

log = logging.getLogger("agentgym")
Policies = Policy | Mapping[str, Policy]


@dataclass(slots=True, frozen=True)
class FailureLimit:
    """A run stops once more than `share` of its trajectories, and at least `count`, have failed."""

    share: float = 0.25
    count: int = 8


async def collect(
    env: str | EnvSpec | Callable[[], Environment[Any]],
    policies: Policies,
    tasks: Iterable[Task] | AsyncIterable[Task],
    *,
    runtime: Runtime,
    run: str = "run",
    seed: int = 0,
    group_size: int = 1,
    concurrency: int = 16,
    retries: int = 1,
    store: Store | None = None,
    failures: FailureLimit | None = None,
    hash_states: bool = False,
) -> AsyncIterator[Trajectory]:
    """Play `group_size` episodes of every task, at most `concurrency` at once, and yield them as they end.

    With a `store` each is appended before it is yielded, and those already stored (by task and sample, unless failed)
    are skipped.  Members of a group share task and environment seed.  `hash_states` is `Episode.start`'s.  Closing the
    generator cancels what runs and closes every box.  Raises TooManyFailures (see FailureLimit) and UsageError (bad id or options, before any episode).
    """
    factory = _factory(env, policies, runtime)
    failures = failures or FailureLimit()
    jobs = _Jobs(tasks, run, group_size, store)
    results: asyncio.Queue[Trajectory | BaseException | None] = asyncio.Queue(maxsize=2 * concurrency)

    async def work() -> None:
        try:
            while (job := await anext(jobs, None)) is not None:
                trajectory = await _play(factory, policies, *job, seed=seed, retries=retries, hash_states=hash_states)
                if store is not None:
                    store.append(trajectory)
                await results.put(trajectory)
        except Exception as error:
            await results.put(error)
        else:
            await results.put(None)

    workers = [asyncio.create_task(work(), name=f"collect-{i}") for i in range(concurrency)]
    try:
        ended = failed = idle = 0
        while idle < concurrency:
            result = await results.get()
            if result is None:
                idle += 1
                continue
            if isinstance(result, BaseException):
                raise result
            ended, failed = ended + 1, failed + (result.status == "failed")
            yield result
            if failed >= failures.count and failed > failures.share * ended:
                raise TooManyFailures(f"{failed} of {ended} episodes failed, the last with: {result.cause}")
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _factory(
    env: str | EnvSpec | Callable[[], Environment[Any]], policies: Policies, runtime: Runtime
) -> Callable[[], Environment[Any]]:
    if not isinstance(env, str | EnvSpec):
        return env
    spec = make(env, runtime=runtime, verdict=False).spec  # a bad id or backend is told before anything runs
    if isinstance(policies, Mapping) and (missing := set(spec.actors) - set(policies)):
        raise UsageError(f"{spec.id} has actors without a policy: {', '.join(sorted(missing))}")
    return lambda: make(env, runtime=runtime, verdict=False)


class _Jobs:
    """An async iterator that several workers may share, which an async generator may not."""

    def __init__(
        self, tasks: Iterable[Task] | AsyncIterable[Task], run: str, group_size: int, store: Store | None
    ) -> None:
        self._tasks = _each(tasks)
        self._run, self._group_size, self._store = run, group_size, store
        self._lock = asyncio.Lock()
        self._waiting: list[tuple[Task, EpisodeKey]] = []

    def __aiter__(self) -> _Jobs:
        return self

    async def __anext__(self) -> tuple[Task, EpisodeKey]:
        async with self._lock:
            while not self._waiting:
                task = await anext(self._tasks)
                keys = [EpisodeKey(self._run, task.id, sample) for sample in range(self._group_size)]
                self._waiting = [
                    (task, key) for key in reversed(keys) if self._store is None or not self._store.has(key)
                ]
            return self._waiting.pop()


async def _each(tasks: Iterable[Task] | AsyncIterable[Task]) -> AsyncIterator[Task]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task
    else:
        for task in tasks:
            yield task


async def _play(
    factory: Callable[[], Environment[Any]],
    policies: Policies,
    task: Task,
    key: EpisodeKey,
    *,
    seed: int,
    retries: int,
    hash_states: bool,
) -> Trajectory:
    """One rollout to its end, whatever happens; only cancellation gets out."""
    ambiguous = 0
    attempt = 0
    while True:
        env = factory()
        now = replace(key, attempt=attempt)
        episode = Episode(env, {}, now, seed)
        try:
            episode = await Episode.start(env, policies, task, now, seed=seed, hash_states=hash_states)
            while not await episode.turn():
                pass
            return await episode.finish()
        except SandboxError as error:
            ambiguous += is_ambiguous(error)
            if ambiguous > 1:
                return await _lost(episode, error)
            if attempt >= max(retries, ambiguous):
                return await episode.failed(error)
            log.warning("%s sample %d: retried on a fresh box: %s", key.task, key.sample, error)
        except asyncio.CancelledError as error:
            if (task_here := asyncio.current_task()) is None or task_here.cancelling():
                raise
            return await episode.failed(error)  # it came out of a policy or an environment, nobody cancelled us
        except Exception as error:
            if not isinstance(error, AgentGymError):
                log.exception("%s sample %d failed", key.task, key.sample)
            return await episode.failed(error)
        finally:
            await env.close()
        attempt += 1


async def _lost(episode: Episode, error: SandboxError) -> Trajectory:
    """The box died twice under the agent's commands: that is the agent's doing, and scored as such."""
    try:
        return await episode.lose("box_died")
    except VerifierError as lost:
        return await episode.failed(lost)

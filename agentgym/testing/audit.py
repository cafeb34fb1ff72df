"""The release gate of an environment: scripted policies, replay, forks, hostile actions, leaks; all told in one report.

`agentgym audit` prints what `check_environment` returns.  The single checks live one a file beside this one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.registry import spec as spec_of
from agentgym.rollout import FailureLimit, collect
from agentgym.runtime import Runtime
from agentgym.tasks import SPLITS, Task, TaskSet
from agentgym.testing.forks import check_fork, check_snapshot
from agentgym.testing.hostile import check_close, check_hostile
from agentgym.testing.leaks import children, left, private_temp
from agentgym.testing.replay import Job, play, replay
from agentgym.testing.report import AuditReport, Tally
from agentgym.testing.trace import normaliser, of_trajectory
from agentgym.testing.verdicts import REQUIRED, cheats, successes
from agentgym.testing.verdicts import problems as verdict_problems
from agentgym.types import Action, Trajectory

Progress = Callable[[str, int, int], None]
UNBOUNDED_TASKS = 20
FORK_TASKS = 4
_BOXES_OF_A_FORK = 3  # parent, snapshot, branch: more forks at once than there are places for would wait for each other
_EVERYTHING = FailureLimit(share=1.0)  # failed episodes are named in the report, they do not stop the audit


async def check_environment(
    env: str | EnvSpec,
    *,
    runtime: Runtime | None = None,
    backend: str = "auto",
    tasks: Sequence[Task] | None = None,
    limit: int | None = None,
    concurrency: int = 16,
    seed: int = 0,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit one environment on `tasks` (default: of every split, in even shares up to `limit`).

    Success must be 1 for the oracle on every task, 0 for noop and for every cheat, and random's mean must not be
    above `spec.chance` by more than chance would make it one time in twenty (1.645 standard errors of a binomial;
    no tolerance where chance is 0).  Episodes that failed count nowhere, are named, and keep the audit from passing.
    Without `runtime` it opens one of its own with `backend`, and then also looks for processes and files left behind.
    Raises UsageError for an unknown id, a broken spec, or no tasks at all.
    """
    spec = spec_of(env) if isinstance(env, str) else env
    before = children()
    async with AsyncExitStack() as stack:
        temp = None
        if runtime is None:
            temp = stack.enter_context(private_temp())
            runtime = Runtime(backend=backend)
            stack.push_async_callback(runtime.close)
        chosen = list(tasks) if tasks is not None else await choose_tasks(runtime.tasks(spec), limit)
        if not chosen:
            raise UsageError(f"{spec.id} has no tasks to audit")
        audit = _Audit(spec, chosen[:limit], runtime, concurrency, seed, progress or (lambda *_: None))
        await audit.run()
        audit.leaks += runtime.leaks
        if temp is not None:
            await runtime.close()
            audit.leaks += await left(before, temp)
        return audit.report()


async def choose_tasks(tasks: TaskSet, limit: int | None) -> list[Task]:
    """All tasks, or `limit` of them shared evenly between the splits that have any; unbounded splits give a few."""
    sizes = {split: tasks.size(split) for split in SPLITS}
    there = {split: (limit or UNBOUNDED_TASKS) if size is None else size for split, size in sizes.items()}
    rounds = [split for rank in range(max(there.values(), default=0)) for split in there if rank < there[split]]
    shares = Counter(rounds[:limit])
    return [task for split, share in shares.items() for task in await tasks.take(split, share)]


@dataclass(slots=True)
class _Audit:
    """One audit under way: what is being audited, and what was found so far."""

    spec: EnvSpec
    tasks: list[Task]
    runtime: Runtime
    concurrency: int
    seed: int
    progress: Progress
    played: dict[str, list[Trajectory]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    replays_differ: int = 0
    forks_differ: int = 0

    async def run(self) -> None:
        await self._play_policies()
        await self._check_replays()
        if self.spec.forking != "none" and self.spec.determinism != "none":
            await self._check_forks()
        self.progress("hostile actions", 0, 1)
        self.problems += await check_hostile(self.spec, self.tasks[0], self.runtime)
        self.problems += await check_close(self.spec, self.tasks[0], self.runtime)
        self.progress("hostile actions", 1, 1)

    def report(self) -> AuditReport:
        spec = self.spec
        tallies = {name: Tally.of(successes(self.played, name)) for name in REQUIRED}
        by_cheat = {name: successes(self.played, name) for name in cheats(spec)}
        problems = list(dict.fromkeys([*verdict_problems(spec, self.played), *self.problems]))
        problems += [f"left behind: {leak}" for leak in self.leaks]
        deterministic = spec.determinism != "none"
        return AuditReport(
            env=spec.id,
            **tallies,
            cheat=Tally.of(value for values in by_cheat.values() for value in values),
            chance=spec.chance,
            cheats={name: max(values, default=None) for name, values in by_cheat.items()},
            replay_identical=not self.replays_differ if deterministic else None,
            forks_independent=not self.forks_differ if deterministic and spec.forking != "none" else None,
            leaks=self.leaks,
            passed=not problems,
            problems=problems,
        )

    # ---- the policies ---------------------------------------------------------------------------------------------

    async def _play_policies(self) -> None:
        share = max(2, self.concurrency // max(1, len(self.spec.policies)))
        total = len(self.spec.policies) * len(self.tasks)
        self.progress("episodes", 0, total)

        async def play_all(name: str) -> None:
            self.played[name] = []
            episodes = collect(
                *(self.spec, self.spec.policies[name](), self.tasks),
                runtime=self.runtime,
                run=f"audit-{name}",
                seed=self.seed,
                concurrency=share,
                failures=_EVERYTHING,
            )
            async for trajectory in episodes:
                self.played[name].append(trajectory)
                self.progress("episodes", sum(map(len, self.played.values())), total)

        async with asyncio.TaskGroup() as group:
            for name in self.spec.policies:
                group.create_task(play_all(name))

    # ---- replay and forks -----------------------------------------------------------------------------------------

    async def _check_replays(self) -> None:
        """Every oracle and random episode, and each other policy's on the first task, by hand and in a new process."""
        by_id = {task.id: task for task in self.tasks}
        names = [(name, trajectory) for name, played in self.played.items() for trajectory in played]
        first = self.tasks[0].id
        chosen = [
            (name, trajectory)
            for name, trajectory in names
            if trajectory.status != "failed" and (name in ("oracle", "random") or trajectory.key.task == first)
        ]
        jobs = [Job.of(trajectory, by_id[trajectory.key.task]) for _, trajectory in chosen]
        self.progress("replays", 0, len(jobs))
        elsewhere, here = await asyncio.gather(self._replay_elsewhere(jobs), self._replay_here(jobs))
        for (name, trajectory), there, mine in zip(chosen, elsewhere, here, strict=True):
            self._compare(f"{name} on {trajectory.key.task}", trajectory, there, mine)
        self.progress("replays", len(jobs), len(jobs))

    async def _replay_elsewhere(self, jobs: list[Job]) -> Sequence[Any]:
        try:
            return await replay(self.spec, jobs, self.runtime, self.concurrency)
        except UsageError as error:
            return [str(error)] * len(jobs)

    async def _replay_here(self, jobs: list[Job]) -> Sequence[Any]:
        gate = asyncio.Semaphore(self.concurrency)
        done = 0

        async def one(job: Job) -> Any:
            nonlocal done
            async with gate:
                try:
                    return await play(self.spec, job, self.runtime)
                except Exception as error:
                    return f"{type(error).__name__}: {error}"
                finally:
                    done += 1
                    self.progress("replays", done, len(jobs))

        return await asyncio.gather(*(one(job) for job in jobs))

    def _compare(self, what: str, trajectory: Trajectory, elsewhere: Any, here: Any) -> None:
        said = next((trace for trace in (here, elsewhere) if isinstance(trace, str)), None)
        if said is None:
            if here.rewards and here.record and abs(sum(here.rewards) - here.record["total"]) > 1e-6:
                paid, total = sum(here.rewards), here.record["total"]
                self.problems.append(f"{what}: the rewards of step sum to {paid:g}, the record to {total:g}")
            stored = of_trajectory(trajectory, normaliser(self.spec))
            said = elsewhere.difference(here) or elsewhere.difference(stored)
            if said and self.spec.determinism == "none":
                return
        if said:
            self.replays_differ += 1
            self.problems.append(f"replay of {what} in a new process: {said}"[:600])

    async def _check_forks(self) -> None:
        """On the first tasks: the oracle's episode, with random's actions (or noop's) in the branch."""
        by_id = {task.id: task for task in self.tasks}
        oracles = {t.key.task: t for t in self.played.get("oracle", []) if t.status != "failed" and t.turns}
        others = {t.key.task: t for name in ("noop", "random") for t in self.played.get(name, []) if t.turns}
        ids = [task.id for task in self.tasks if task.id in oracles][:FORK_TASKS]
        gate = asyncio.Semaphore(max(1, self.runtime.limits.sandboxes // _BOXES_OF_A_FORK))

        async def one(id: str) -> None:
            job = Job.of(oracles[id], by_id[id])
            other = [turn.action for turn in others[id].turns] if id in others else [Action("something else")]
            for check in (check_fork, check_snapshot):
                try:
                    async with gate:
                        said = await check(self.spec, job, other, self.runtime)
                except Exception as error:
                    said = f"{type(error).__name__}: {error}"
                if said:
                    self.forks_differ += 1
                    self.problems.append(f"fork on {id}: {said}"[:600])

        self.progress("forks", 0, len(ids))
        await asyncio.gather(*(one(id) for id in ids))
        self.progress("forks", len(ids), len(ids))

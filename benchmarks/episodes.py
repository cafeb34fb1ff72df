"""What whole episodes of swe/release-v0 cost, and where the time goes: `python benchmarks/episodes.py [--episodes 32]`.

A scripted engineer works in its box like an agent would, without a model to wait for: it lists the files, searches,
reads what it will change, collects the package's tests, makes the reference edit, collects again and submits; the verdict
is given in a fresh box, uncached.  First one episode at a time, then all at once; between the two, the tests of the
verdicts alone by bare pytest on the host.  What is not the driver's is the boxes', the kernel's, and other people's on
this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from grading import bare

import agentgym
from agentgym.envs.swe.materials import materials
from agentgym.envs.swe.policies import reference_edits, say
from agentgym.envs.swe.specs import RELEASE
from agentgym.envs.swe.verifier import SweVerifier, reference
from agentgym.episode import Episode
from agentgym.policy import Context, Scripted
from agentgym.runtime import Runtime, RuntimeLimits
from agentgym.tasks import Task
from agentgym.types import Action, EpisodeKey

SPEC = replace(RELEASE, verifier=SweVerifier(cache=False))
COLLECT = "python3 -m pytest -q -x --co 2>&1 | tail -3"
_T = TypeVar("_T")


def engineer() -> Scripted:
    """Looks around, edits as the reference solution does, checks, submits."""

    def play(context: Context) -> Action:
        path = context.task.secret["files"][0]
        look = [
            [("shell", {"command": "ls; git log 2>/dev/null | head -3"})],
            [("search", {"pattern": "def "})],
            [("view", {"path": path})],
            [("shell", {"command": COLLECT})],
        ]
        edits = reference_edits(context.task.secret["oracle"])
        plan = [*look, *edits, [("shell", {"command": COLLECT})], [("submit", {})]]
        return say(context, *plan[context.turn])

    return Scripted("engineer", play, privileged=True)


@dataclass
class Spent:
    """Seconds that episodes were in each phase, and what the machine's processors did meanwhile."""

    phases: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    resolved: int = 0
    episodes: int = 0
    wall: float = 0.0
    driver: float = 0.0
    busy: float = 0.0

    async def during(self, phase: str, what: Awaitable[_T]) -> _T:
        began = time.perf_counter()
        try:
            return await what
        finally:
            self.phases[phase] += time.perf_counter() - began


def busy() -> float:
    """Seconds that all processors together have worked since the machine started."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


async def play(task: Task, number: int, runtime: Runtime, spent: Spent) -> None:
    env = agentgym.make(SPEC, runtime=runtime, verdict=False)
    try:
        key = EpisodeKey("benchmark", task.id, number)
        episode = await spent.during("reset", Episode.start(env, engineer(), task, key))
        while not await spent.during("turns", episode.turn()):
            pass
        trajectory = await spent.during("verdict", episode.finish())
    finally:
        await spent.during("close", env.close())
    spent.turns += len(trajectory.turns)
    spent.episodes += 1
    spent.resolved += bool(trajectory.record and trajectory.record.success == 1.0)


async def played(jobs: list[tuple[Task, int]], at_once: int, runtime: Runtime) -> Spent:
    spent, waiting = Spent(), iter(jobs)

    async def work() -> None:
        for task, number in waiting:
            await play(task, number, runtime, spent)

    before = time.perf_counter(), time.process_time(), busy()
    await asyncio.gather(*(work() for _ in range(at_once)))
    after = time.perf_counter(), time.process_time(), busy()
    spent.wall, spent.driver, spent.busy = (b - a for a, b in zip(before, after, strict=True))
    return spent


def show(name: str, spent: Spent) -> None:
    each = spent.episodes
    phases = " | ".join(f"{spent.phases[phase] / each:.2f}" for phase in ("reset", "turns", "verdict", "close"))
    print(
        f"| {name} | {spent.resolved}/{each} | {spent.turns / each:.1f} | {each / spent.wall * 3600:.0f} | {phases} | "
        f"{spent.busy / each:.2f} | {spent.driver / each:.2f} |",
        flush=True,
    )


async def main(episodes: int, at_once: int) -> None:
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, sandbox: ", end="")
    async with Runtime(limits=RuntimeLimits(sandboxes=at_once)) as runtime:
        print(runtime.sandbox_class.name)
        taskset, chosen = runtime.tasks(SPEC), []
        async for identity in taskset.ids("train", seed=0):
            chosen.append(await taskset.get(identity))
            if len(chosen) == min(8, episodes):
                break
        alone = 0.0
        await played([(task, 0) for task in chosen], 2, runtime)  # fetches what there is to fetch
        for task in chosen:
            material = await materials(task, runtime)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            await asyncio.to_thread(bare, material, reference(task, material)[0])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            alone += (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(chosen)
        jobs = [(chosen[number % len(chosen)], number) for number in range(episodes)]
        print(
            "\n| at once | resolved | turns | episodes/hour | reset s | turns s | verdict s | close s | CPU s | driver's |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for count in (1, at_once):
            show(str(count), await played(jobs, count, runtime))
        print(f"\nthe same verdicts' tests by bare pytest: {alone:.2f} CPU s each")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--at-once", type=int, default=32)
    options = parser.parse_args()
    asyncio.run(main(options.episodes, options.at_once))

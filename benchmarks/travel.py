"""Print what travel planning costs: worlds, tasks, steps, forks, verdicts: `python benchmarks/travel.py`. CPU time, one process."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable

import agentgym
from agentgym import Action, Evidence, Runtime, ToolCall
from agentgym.envs.travel.generate import build
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.tasks import PlannerTasks
from agentgym.policy import Context
from agentgym.types import Observation


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    """CPU seconds of each of `rounds` runs."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return took


def row(name: str, took: list[float], unit: float, what: str) -> None:
    cuts = sorted(took)
    print(
        f"| {name} | {statistics.median(cuts) / unit:.2f} | {cuts[int(0.95 * (len(cuts) - 1))] / unit:.2f} | {what} |",
        flush=True,
    )


async def main(rounds: int) -> None:
    print("| what | median | p95 | unit |\n|---|---:|---:|---|")
    seeds = iter(range(10**6))
    row("world: drawn, indexed, read only", timed(lambda: build(next(seeds)), min(rounds, 12)), 1, "s")
    tasks, numbers = PlannerTasks(PLANNER.config, None), range(rounds)
    await tasks.get("train-0")
    took = []
    for number in numbers:
        start = time.process_time()
        await tasks.get(f"train-{number}")
        took.append(time.process_time() - start)
    row("task: drawn and solved, worlds included", took, 1, "s")
    async with Runtime() as runtime:
        await episodes(runtime, await tasks.get("train-0"), rounds)


async def episodes(runtime: Runtime, task: agentgym.Task, rounds: int) -> None:
    env = agentgym.make(PLANNER, runtime=runtime, verdict=False)
    took = []
    for _ in range(rounds * 10):
        start = time.process_time()
        await env.reset(task=task, seed=0)
        took.append(time.process_time() - start)
    row("reset", took, 1e-6, "µs")
    city = task.secret["stages"][0]["trip"]["home"]
    for name, arguments in (("search_restaurants", {"city": city}), ("notebook", {"note": ""})):
        action = Action("", (ToolCall("c", name, json.dumps(arguments)),))
        took = []
        await env.reset(task=task, seed=0)
        for _ in range(50):
            start = time.process_time()
            await env.step(action)
            took.append(time.process_time() - start)
        row(f"step: {name}", took, 1e-6, "µs")
        await env.reset(task=task, seed=0)
    took = []
    for _ in range(rounds * 10):
        start = time.process_time()
        branch = await env.fork()
        took.append(time.process_time() - start)
        await branch.close()
    row("fork", took, 1e-6, "µs")
    await env.close()
    await verdicts(runtime, task, rounds)


async def verdicts(runtime: Runtime, task: agentgym.Task, rounds: int) -> None:
    oracle = PLANNER.policies["oracle"]()
    env = agentgym.make(PLANNER, runtime=runtime, verdict=False)
    observation, _ = await env.reset(task=task, seed=0)
    messages = list(observation.messages)
    while env.ended is None:
        (action,) = await oracle.act(Context(messages, (), Observation(), task, turn=env.turn))
        observation, *_ = await env.step(action)
        messages += [action.message(), *observation.messages]
    evidence = Evidence(task, await env.artefacts(), env.turns, env.ended)
    await env.close()
    took = []
    for _ in range(rounds * 10):
        start = time.process_time()
        await PLANNER.verifier.verify(evidence, runtime)
        took.append(time.process_time() - start)
    row("verdict on a plan of the best", took, 1e-3, "ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    asyncio.run(main(parser.parse_args().rounds))

"""What a branch of an episode on a web page costs: forks after k actions of the oracle's, closed again at once.

    python benchmarks/web_fork.py [--tasks 12] [--forks 5]

A fork resets a session of its own, replays the k actions and compares the hash of the state. Processor seconds are the browser's, too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agentgym import Runtime, collect, spec
from agentgym.registry import make
from benchmarks.web import METER

IDS = ("web/miniwob-v0", "web/shop-v0")


class Costs:
    """By environment and number of actions: seconds of each fork, and processor seconds of each batch of forks."""

    def __init__(self) -> None:
        self.walls: dict[tuple[str, int], list[float]] = defaultdict(list)
        self.cpus: dict[tuple[str, int], list[float]] = defaultdict(list)

    async def measure(self, id: str, tasks: int, forks: int) -> None:
        played = spec(id)
        async with Runtime() as runtime:
            chosen = await runtime.tasks(played).take("train", tasks)
            async for trajectory in collect(played, played.policies["oracle"](), chosen, runtime=runtime):
                task = next(each for each in chosen if each.id == trajectory.key.task)
                env = make(played, runtime=runtime)
                await env.reset(task=task, seed=trajectory.seed)
                for number, turn in enumerate(trajectory.turns):
                    cpu = METER.look()
                    for _ in range(forks):
                        begun = time.perf_counter()
                        await (await env.fork()).close()
                        self.walls[id, number].append(time.perf_counter() - begun)
                    self.cpus[id, number].append((METER.look() - cpu) / forks)
                    await env.step(turn.action)
                await env.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--forks", type=int, default=5)
    given = parser.parse_args()
    costs = Costs()
    for id in IDS:
        asyncio.run(costs.measure(id, given.tasks, given.forks))
    print(f"load average {os.getloadavg()[0]:.0f}\n")
    print("| environment | actions replayed | forks | p50 ms | CPU ms |")
    print("|---|---:|---:|---:|---:|")
    for (id, number), walls in sorted(costs.walls.items()):
        p50, cpu = 1e3 * statistics.median(walls), 1e3 * statistics.fmean(costs.cpus[id, number])
        print(f"| {id} | {number} | {len(walls)} | {p50:.0f} | {cpu:.0f} |")


if __name__ == "__main__":
    main()

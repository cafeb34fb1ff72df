"""Print what cheats and honest play earn by Mem-alpha's formula and by ours: `python -m agentgym.envs.memory.farming`."""

from __future__ import annotations

import asyncio
from statistics import fmean

from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.types import Trajectory

_NAMES = ("oracle", "noop", "cheat/trivial-insert", "cheat/churn", "cheat/names-only", "cheat/all-values")


async def measure(tasks: int = 20) -> dict[str, tuple[float, float]]:
    """By policy: the mean of Mem-alpha's reward, and of ours."""
    async with Runtime() as runtime:
        chosen = await runtime.tasks(DIALOGUE).take("train", tasks)
        return {name: await _means(name, chosen, runtime) for name in _NAMES}


async def _means(name: str, tasks: list[Task], runtime: Runtime) -> tuple[float, float]:
    played = [each async for each in collect(DIALOGUE, DIALOGUE.policies[name](), tasks, runtime=runtime)]
    return fmean(map(_published, played)), fmean(each.record.total for each in played if each.record)


def _published(trajectory: Trajectory) -> float:
    assert trajectory.record is not None
    return next(c.value or 0.0 for c in trajectory.record.channels if c.name == "mem_alpha")


if __name__ == "__main__":
    print("| policy | as published | ours |\n| --- | --- | --- |")
    for name, (published, ours) in asyncio.run(measure()).items():
        print(f"| `{name}` | {published:.2f} | {ours:.2f} |")

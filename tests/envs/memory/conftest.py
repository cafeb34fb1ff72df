"""Episodes of the memory environments, played whole; they need no sandbox."""

import pytest

from agentgym import make
from agentgym.rollout import collect
from agentgym.runtime import Runtime


@pytest.fixture
async def runtime(tmp_path):
    async with Runtime(cache=tmp_path / "cache") as runtime:
        yield runtime


@pytest.fixture
def play(runtime):
    """`await play(spec, policy, tasks)` is the trajectories, in the order of the tasks."""

    async def played(spec, policy, tasks, **options):
        by_task = {}
        async for trajectory in collect(spec, policy, tasks, runtime=runtime, concurrency=4, **options):
            by_task[trajectory.key.task] = trajectory
        return [by_task[task.id] for task in tasks]

    return played


@pytest.fixture
def opened(runtime):
    """`await opened(spec, task)` is an environment that was reset, and its first text."""

    async def opening(spec, task):
        env = make(spec, runtime=runtime)
        observation, _ = await env.reset(task=task)
        return env, observation.messages[0].text

    return opening

"""Roll a policy out over some tasks, keep the trajectories, and read them again. No sandbox, no model."""

import asyncio
import tempfile

from own_environment import SPEC

from agentgym import Runtime, Store, collect
from agentgym.evals.metrics import summarise


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        async with Runtime() as runtime:
            tasks = await runtime.tasks(SPEC).take("train", 10)
            policy = SPEC.policies["random"]()
            async for trajectory in collect(SPEC, policy, tasks, runtime=runtime, group_size=4, store=store):
                print(f"{trajectory.key.task} sample {trajectory.key.sample}: {trajectory.end}, {trajectory.success:g}")
        summary = summarise(Store(folder))
        print(f"{summary.episodes} episodes, success {summary.success}, pass@4 {summary.pass_at[4]:.2f}")


asyncio.run(main())

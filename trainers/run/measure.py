"""The measurement at the end of a run: episodes on tasks that were not trained on, stored and reported as `eval` does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.evals.report import write_report
from agentgym.manifest import manifest, write_manifest
from agentgym.policy import Policy
from agentgym.rollout import collect
from agentgym.store import Store
from agentgym.tasks import Task
from agentgym.trainers.config.sections import Eval
from agentgym.trainers.rollouts import Engine


def measure(
    spec: EnvSpec,
    policy: Policy,
    tasks: Sequence[Task],
    engine: Engine,
    folder: Path,
    *,
    eval: Eval,
    seed: int,
    concurrency: int,
) -> dict[str, Any]:
    """Play what is not played yet and write `report.json` and `report.md` into `folder`; the report."""
    hashes = {task.id: task.hash for task in tasks}
    content = manifest(
        *(spec, engine.runtime), seed=seed, policy=policy.name, tasks=hashes, samples=eval.samples, split=eval.split
    )
    write_manifest(folder, content)

    async def play() -> None:
        episodes = collect(
            *(spec, policy, tasks),
            runtime=engine.runtime,
            run="eval",
            seed=seed,
            group_size=eval.samples,
            concurrency=concurrency,
            store=Store(folder),
        )
        async with aclosing(episodes) as ending:  # type: ignore[type-var]
            async for _ in ending:
                pass

    engine.run(play())
    return write_report(folder)

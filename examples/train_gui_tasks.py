"""A small model learns to change a phone's settings by its screenshots, from single steps and then from whole tasks.

    pip install 'agentgym[train,web]'; scripts/system-packages.sh web; python examples/train_gui_tasks.py        # some CPU minutes

Mobile-R1's second and third stage on `gui/tasks-v0`; its first, imitation, is not needed. The model knows the goal, what it did so far, and
the newest screenshot. First it is paid for steps that are the oracle's, by the environment's own functions; then it plays whole episodes,
which the application's books judge. Beside it: acting at random, the model untrained, one that does not look at the picture, the oracle.
docs/gui-learning.md says what came of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from agentgym.envs.gui.learning.operating import (
    Exercise,
    Witness,
    measure_steps,
    reinforce_episodes,
    reinforce_steps,
)
from agentgym.envs.gui.learning.operator import BlindOperator, Operator, OperatorPolicy
from agentgym.envs.gui.tasks.specs import TASKS
from agentgym.envspec import EnvSpec
from agentgym.evals.metrics import wilson
from agentgym.policy import Policy
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.types import Trajectory

WHOLE = TASKS.configure(apps=("settings",), devices=("phone",))
STEPS = WHOLE.configure(stage="step")
GROUP, BATCH, RATE = 8, 4, 0.03
"""Of the stage "task": episodes of a task, tasks to an update, and the rate."""


class Study:
    """What has been measured, a row each, printed as it comes."""

    def __init__(self, runtime: Runtime, options: argparse.Namespace) -> None:
        self.runtime, self.options = runtime, options
        self.whole = replace(WHOLE, limits=replace(WHOLE.limits, turns=options.turns))
        self.rows: list[dict[str, Any]] = []
        self.curve: list[dict[str, Any]] = []

    async def play(self, spec: EnvSpec, policy: Policy, tasks: list[Task], group: int = 1) -> list[Trajectory]:
        episodes = collect(
            spec, policy, tasks, runtime=self.runtime, seed=self.options.seed, group_size=group, concurrency=4
        )
        return [each async for each in episodes]

    async def row(self, name: str, policy: Policy, held_out: dict[str, list[Task]]) -> None:
        """One episode of each task."""
        row: dict[str, Any] = {"name": name}
        print(f"{name:40}", end="", flush=True)
        for split, tasks in held_out.items():
            played = [each for each in await self.play(self.whole, policy, tasks) if each.success is not None]
            won = {each.key.task: each.success or 0.0 for each in played}
            low, high = wilson(sum(won.values()), len(won))
            row[split] = {"solved": sum(won.values()), "of": len(won), "wilson": [low, high], "won": won}
            print(f"  {split} {sum(won.values()):.0f} of {len(won)} [{low:.3f}, {high:.3f}]", end="", flush=True)
        self.rows.append(row)
        print(flush=True)


async def exercises(study: Study, split: str, count: int) -> Callable[[Operator], list[Exercise]]:
    """The steps of `count` tasks, as whichever model sees them."""
    witness = Witness()
    tasks = await study.runtime.tasks(STEPS).take(split, 3 * count)
    await study.play(STEPS, witness, tasks)
    return lambda model: [
        Exercise(id, model.scene(shown), right) for id, (shown, right) in sorted(witness.kept.items())
    ]


async def by_steps(study: Study, model: Operator, name: str, given: list[Exercise], looked: list[Exercise]) -> None:
    """The stage "step"; the model stays as it is then, but for its weights."""

    def note(told: float) -> None:
        sure = measure_steps(model, looked)
        study.curve.append({"name": name, "reward": told, "validation": sum(sure) / len(sure)})
        print(
            f"{name}: reward of a step {told:.3f}, as the oracle in validation {study.curve[-1]['validation']:.3f}",
            flush=True,
        )

    reinforce_steps(model, given, study.options.epochs, study.options.seed, after=note)


async def by_episodes(study: Study, model: Operator, name: str, tasks: list[Task]) -> None:
    """The stage "task"."""
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    for start in range(0, len(tasks), BATCH):
        batch = tasks[start : start + BATCH]
        played = await study.play(study.whole, OperatorPolicy(model), batch, GROUP)
        reinforce_episodes(model, optimiser, [[each for each in played if each.key.task == task.id] for task in batch])
        solved = sum(each.success or 0.0 for each in played) / len(played)
        study.curve.append({"name": name, "solved": solved})
        print(f"{name}: solved of {len(batch)} tasks, {GROUP} times each, {solved:.3f}", flush=True)


async def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    async with Runtime() as runtime:
        study = Study(runtime, options)
        train = await runtime.tasks(WHOLE).take("train", options.train + options.whole)
        held_out = {split: await runtime.tasks(WHOLE).take(split, options.held_out) for split in ("validation", "test")}
        steps = await exercises(study, "train", options.train)
        looked = await exercises(study, "validation", options.held_out)
        model, blind = Operator(), BlindOperator()
        for name, policy in (
            ("oracle", WHOLE.policies["oracle"]()),
            ("random", WHOLE.policies["random"]()),
            ("untrained", OperatorPolicy(model)),
        ):
            await study.row(name, policy, held_out)
        await by_steps(study, blind, "text only", steps(blind), looked(blind))
        await study.row("text only, by steps", OperatorPolicy(blind), held_out)
        await by_steps(study, model, "screenshots", steps(model), looked(model))
        await study.row("by steps", OperatorPolicy(model), held_out)
        await by_episodes(study, model, "screenshots", train[options.train :])
        await study.row("by steps and episodes", OperatorPolicy(model), held_out)
        await study.row("by steps and episodes, likeliest acts", OperatorPolicy(model, temperature=0.0), held_out)
    if options.out:
        options.out.write_text(json.dumps({"rows": study.rows, "curve": study.curve}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--train", type=int, default=200, help="tasks whose first three steps are learned from")
    parser.add_argument("--epochs", type=int, default=8, help="over these steps")
    parser.add_argument("--whole", type=int, default=24, help="tasks that are learned from whole")
    parser.add_argument("--held-out", type=int, default=40, help="tasks of each of the two other splits")
    parser.add_argument("--turns", type=int, default=16, help="of an episode, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    asyncio.run(main(parser.parse_args()))

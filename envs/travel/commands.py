"""`agentgym travel`: TravelPlanner's files out of ours, its metrics of a run, optima proven once more."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentgym.envs.travel import certify, export, metrics
from agentgym.envs.travel.config import TravelConfig
from agentgym.envs.travel.plan import BadPlan
from agentgym.envs.travel.tasks import TASKS_A_WORLD, PlannerTasks, world_of
from agentgym.envs.travel.trip import Trip
from agentgym.errors import AgentGymError, UsageError, VerifierError
from agentgym.store import Store
from agentgym.tasks import Task
from agentgym.types import Trajectory


def main(arguments: Sequence[str]) -> None:
    """Run a command and print what it says, one JSON object. Raises what it raises."""
    given = _parser().parse_args(arguments)
    print(json.dumps(given.run(given), indent=1))


def _export(given: argparse.Namespace) -> Any:
    """The world of a task, and all solvable tasks in it, with the plans of a run or the best ones."""
    split, _, number = given.task.rpartition("-")
    tasks = asyncio.run(_neighbours(split, number))
    played = {t.key.task: t for t in _stored(given.store) if t.key.sample == 0} if given.store else None
    world = world_of(tasks[0].payload["world"])
    export.write_world(world, given.out / "database")
    made, left_out = [], []
    for task in tasks:
        stage = task.secret["stages"][0]
        if stage["relaxations"]:
            left_out.append(f"{task.id}: TravelPlanner has no unsolvable tasks")
            continue
        trip = Trip.of(stage["trip"])
        if played is None:
            plan = export.without_trains(world, trip)
        else:
            plan = export.first_plan(played[task.id].artefacts) if task.id in played else None
        try:
            plan = export.converted(plan) if plan else None
        except BadPlan as error:
            left_out.append(f"{task.id}: {error}")
            continue
        made.append((export.query(trip, stage["message"]), plan))
    return {
        "queries": len(made),
        "plans": export.write_plans(given.out, made),
        "to": str(given.out),
        "left_out": left_out,
    }


async def _neighbours(split: str, number: str) -> list[Task]:
    """The tasks that share a world with this one."""
    tasks = PlannerTasks(TravelConfig(), None)
    first = await tasks.get(f"{split}-{number}")
    start = int(number) // TASKS_A_WORLD * TASKS_A_WORLD
    return [first if n == int(number) else await tasks.get(f"{split}-{n}") for n in range(start, start + TASKS_A_WORLD)]


def _metrics(given: argparse.Namespace) -> Any:
    return metrics.travelplanner(_stored(given.store))


def _stored(folder: Path) -> list[Trajectory]:
    if not (folder / "trajectories.jsonl").is_file():
        raise UsageError(f"{folder} is no run's folder: it has no trajectories.jsonl")
    return list(Store(folder))


def _certify(given: argparse.Namespace) -> Any:
    """Every stage's optimum, by CP-SAT."""
    same, different, unproven = 0, [], []
    for task in asyncio.run(PlannerTasks(TravelConfig(), None).take(given.split, given.limit)):
        for at, stage in enumerate(task.secret["stages"]):
            wanted = stage["proven"] if stage["relaxations"] else stage["optimum"]
            world = world_of(task.payload["world"])
            try:
                found = certify.optimum(world, Trip.of(stage["trip"]), frozenset(stage["shut"]), given.seconds)
            except UsageError:
                raise
            except AgentGymError:
                unproven.append(f"{task.id}, stage {at}")
                continue
            if found == wanted:
                same += 1
            else:
                different.append(f"{task.id}, stage {at}: {wanted} here, {found} by CP-SAT")
    told = {"same": same, "different": different, "unproven": unproven}
    if different:
        raise VerifierError(f"optima differ: {json.dumps(told)}")
    return told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentgym travel", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    out = command("export", _export, "Write a task's world, its tasks and plans in TravelPlanner's formats.")
    out.add_argument("out", type=Path)
    out.add_argument("task", help="like train-0: the world of this task, and all tasks in it")
    out.add_argument(
        "--store", type=Path, help="a run's folder, whose plans are taken (default: the best without trains)"
    )

    out = command("metrics", _metrics, "TravelPlanner's metrics of a run.")
    out.add_argument("store", type=Path)

    out = command("certify", _certify, "Have CP-SAT prove the optima of tasks (needs the extra travel-build).")
    out.add_argument("--split", choices=("train", "validation", "test"), default="test")
    out.add_argument("--limit", type=int, default=10)
    out.add_argument("--seconds", type=float, default=60.0)
    return parser

"""`agentgym replay`: look at stored episodes, play their actions again and compare, or have them judged anew."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentgym.cli.failures import FAILED
from agentgym.cli.options import Json, Sandbox, environment, runtime_for
from agentgym.cli.show import show
from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError, UsageError
from agentgym.runtime import Runtime
from agentgym.store import Store, read_json
from agentgym.tasks import Task
from agentgym.types import Trajectory
from agentgym.verdict import judge
from agentgym.verifier import Evidence

Run = Annotated[Path, typer.Argument(help="A run's folder.")]
Ids = Annotated[
    list[str] | None, typer.Option("--id", metavar="TASK[@SAMPLE]", help="Only this episode; may be repeated.")
]
Check = Annotated[bool, typer.Option("--check", help="Play the stored actions again in a new process and compare.")]
Rescore = Annotated[bool, typer.Option("--rescore", help="Have the stored artefacts judged by today's verifier.")]
Out = Annotated[Path | None, typer.Option(help="With --rescore: store the episodes with their new scores there.")]
Source = Annotated[str | None, typer.Option("--env", help="The environment, if the run's id is not registered here.")]


def replay(
    run: Run,
    ids: Ids = None,
    check: Check = False,
    rescore: Rescore = False,
    out: Out = None,
    env: Source = None,
    sandbox: Sandbox = "auto",
    as_json: Json = False,
) -> None:
    """Show a run's episodes; with --check or --rescore, put them to the test. Exit 1 if a replay differs."""
    if not (run / "trajectories.jsonl").is_file():
        raise UsageError(f"{run} holds no trajectories")
    chosen = _choose(Store(run), ids)
    if not check and not rescore:
        _show_all(chosen, as_json, one=bool(ids))
        return
    spec = _spec_of(run, env)
    runtime = runtime_for(spec, sandbox)
    rows = asyncio.run(_check(spec, runtime, chosen) if check else _rescore(spec, runtime, chosen, out))
    _tell(rows, as_json)
    if check and not all(row["identical"] for row in rows):
        raise typer.Exit(FAILED)


def _choose(store: Store, ids: list[str] | None) -> list[Trajectory]:
    episodes = list(store)
    if not ids:
        return episodes
    chosen = [t for t in episodes if t.key.task in ids or f"{t.key.task}@{t.key.sample}" in ids]
    if not chosen:
        known = ", ".join(list(dict.fromkeys(t.key.task for t in episodes))[:5])
        raise UsageError(f"no episode {' or '.join(ids)} in {store.folder}; there are {known}, …")
    return chosen


def _spec_of(run: Path, env: str | None) -> EnvSpec:
    """The run's environment under the run's configuration."""
    content = read_json(run / "manifest.json")["environment"]
    spec = environment(env or content["id"])
    return spec.configure(**content["config"])


async def _task_of(runtime: Runtime, spec: EnvSpec, trajectory: Trajectory) -> Task:
    task = await runtime.tasks(spec).get(trajectory.key.task)
    if task.hash != trajectory.task_hash:
        raise UsageError(f"task {task.id} has changed since the run: it can not be replayed")
    return task


async def _check(spec: EnvSpec, runtime: Runtime, chosen: list[Trajectory]) -> list[dict[str, Any]]:
    from agentgym.testing.replay import Job
    from agentgym.testing.replay import replay as play_again
    from agentgym.testing.trace import normaliser, of_trajectory

    async with runtime:
        live = [trajectory for trajectory in chosen if trajectory.status != "failed"]
        jobs = [Job.of(trajectory, await _task_of(runtime, spec, trajectory)) for trajectory in live]
        rows = []
        for trajectory, trace in zip(live, await play_again(spec, jobs, runtime), strict=True):
            stored = of_trajectory(trajectory, normaliser(spec))
            said = trace if isinstance(trace, str) else trace.difference(stored)
            rows.append({**_name(trajectory), "identical": said is None, "difference": said})
        return rows


async def _rescore(spec: EnvSpec, runtime: Runtime, chosen: list[Trajectory], out: Path | None) -> list[dict[str, Any]]:
    gate = asyncio.Semaphore(runtime.limits.verifier_sandboxes)
    store = Store(out) if out else None

    async def one(trajectory: Trajectory) -> dict[str, Any]:
        task = await _task_of(runtime, spec, trajectory)
        evidence = Evidence(task, trajectory.artefacts, trajectory.turns, trajectory.end)
        row = {**_name(trajectory), "before": trajectory.success, "after": None, "cause": ""}
        async with gate:
            try:
                verdict = await judge(evidence, spec.verifier, spec.rubric, runtime)
            except AgentGymError as error:
                return {**row, "cause": str(error)}
        if store is not None:
            store.append(replace(trajectory, scores=verdict.scores, record=verdict.record, status="scored", cause=""))
        return {**row, "after": verdict.record.success}

    async with runtime:
        scored = [trajectory for trajectory in chosen if trajectory.status == "scored"]
        return await asyncio.gather(*(one(trajectory) for trajectory in scored))


def _show_all(chosen: list[Trajectory], as_json: bool, one: bool) -> None:
    console = Console(highlight=False)
    if one and not as_json:
        for trajectory in chosen:
            show(console, trajectory)
        return
    rows = [
        {
            **_name(trajectory),
            "status": trajectory.status,
            "success": trajectory.success,
            "reward": trajectory.record.total if trajectory.record else None,
            "turns": len(trajectory.turns),
            "end": trajectory.end or trajectory.cause,
        }
        for trajectory in chosen
    ]
    _tell(rows, as_json)


def _tell(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"episodes": rows}))
        return
    table = Table(*(rows[0] if rows else ["no episodes"]), box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    Console(highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _name(trajectory: Trajectory) -> dict[str, Any]:
    return {"task": trajectory.key.task, "sample": trajectory.key.sample}

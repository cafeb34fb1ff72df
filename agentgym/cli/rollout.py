"""`agentgym rollout`: play episodes into a run's folder; interrupted, it can be resumed. `eval` uses the same engine."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from agentgym.cli import policies
from agentgym.cli.failures import FAILED, INTERRUPTED, err
from agentgym.cli.options import Env, Json, Limit, Sandbox, Seed, Set, Tasks, environment, runtime_for
from agentgym.cli.progress import bars
from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.manifest import manifest, write_manifest
from agentgym.policy import Policy
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.store import Store, read_json
from agentgym.tasks import SPLITS, Task

Split = Annotated[str, typer.Option(help=f"Which tasks: {', '.join(SPLITS)}.")]
Samples = Annotated[int, typer.Option(min=1, help="Episodes of each task.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Episodes at once.")]
Out = Annotated[Path | None, typer.Option(help="The run's folder (default: a new one under runs/).")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")]


@dataclass(slots=True)
class Plan:
    """A run, decided: what is played by whom, and where it is stored."""

    spec: EnvSpec
    policy: Policy
    folder: Path
    seed: int
    samples: int
    concurrency: int
    config: dict[str, Any]


def rollout(
    env: Env,
    policy: policies.Name,
    split: Split = "train",
    limit: Limit = None,
    samples: Samples = 1,
    concurrency: Concurrency = 16,
    out: Out = None,
    resume: Resume = False,
    seed: Seed = 0,
    tasks: Tasks = None,
    settings: Set = None,
    sandbox: Sandbox = "auto",
    base_url: policies.BaseUrl = None,
    temperature: policies.Temperature = 1.0,
    max_tokens: policies.MaxTokens = 1024,
    images: policies.Images = None,
    as_json: Json = False,
) -> None:
    """Play episodes and store them."""
    spec = environment(env, tasks, settings)
    player = policies.policy_of(policy, spec, policies.Sampling(base_url, temperature, max_tokens, images))
    plan = Plan(spec, player, folder_for(out, spec, policy), seed, samples, concurrency, {"split": split})
    runtime = runtime_for(spec, sandbox)
    play(plan, runtime, lambda: tasks_of(spec, runtime, split, limit), resume)
    tell(plan.folder, as_json)


def folder_for(out: Path | None, spec: EnvSpec, policy: str) -> Path:
    """Where a run goes: what was asked for, or a new folder under runs/."""
    if out is not None:
        return out
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{spec.id}-{policy}-{stamp}")


async def tasks_of(spec: EnvSpec, runtime: Runtime, split: str, limit: int | None) -> list[Task]:
    """The first tasks of a split. Raises UsageError if it has none, or no end and no limit was given."""
    if split not in SPLITS:
        raise UsageError(f"no split {split!r}: there are {', '.join(SPLITS)}")
    task_set = runtime.tasks(spec)
    size = task_set.size(split)
    if size is None and limit is None:
        raise UsageError(f"split {split} of {spec.id} has no end: say --limit")
    tasks = await task_set.take(split, limit if limit is not None else size or 0)
    if not tasks:
        others = [name for name in SPLITS if task_set.size(name) != 0]
        raise UsageError(f"{spec.id} has no {split} tasks, only {' and '.join(others) or 'none at all'}")
    return tasks


def play(plan: Plan, runtime: Runtime, choose: Any, resume: bool) -> None:
    """Play the plan; interrupted, say what is stored and how to go on. Raises typer.Exit(130) then."""
    if plan.folder.exists() and not resume and (plan.folder / "trajectories.jsonl").exists():
        raise UsageError(f"{plan.folder} holds a run already: add --resume to go on with it, or choose another --out")
    try:
        asyncio.run(_play(plan, runtime, choose))
    except KeyboardInterrupt:
        done = len(Store(plan.folder))
        err.print(f"[bold yellow]interrupted[/]: {done} episodes are stored in {plan.folder}. Go on with:")
        err.print(f"  {escape(_resume_command(plan.folder))}")
        raise typer.Exit(INTERRUPTED) from None


async def _play(plan: Plan, runtime: Runtime, choose: Any) -> None:
    async with runtime:
        tasks: list[Task] = await choose()
        content = manifest(
            *(plan.spec, runtime),
            seed=plan.seed,
            policy=plan.policy.name,
            tasks={task.id: task.hash for task in tasks},
            samples=plan.samples,
            **plan.config,
        )
        _check_resumable(plan.folder, content)
        write_manifest(plan.folder, content)
        store = Store(plan.folder)
        total = len(tasks) * plan.samples
        done = sum(trajectory.status != "failed" for trajectory in store)
        episodes = collect(
            *(plan.spec, plan.policy, tasks),
            runtime=runtime,
            run=plan.folder.name,
            seed=plan.seed,
            group_size=plan.samples,
            concurrency=plan.concurrency,
            store=store,
        )
        with bars() as advance:
            advance("episodes", done, total)
            async with aclosing(episodes) as ending:  # type: ignore[type-var]
                async for _ in ending:
                    done += 1
                    advance("episodes", done, total)


def _check_resumable(folder: Path, content: dict[str, Any]) -> None:
    """A run goes on only as what it was."""
    if not (folder / "manifest.json").exists():
        return
    before = read_json(folder / "manifest.json")
    for name in ("policy", "seed"):
        if before[name] != content[name]:
            raise UsageError(f"{folder} was played with {name} {before[name]!r}, not {content[name]!r}")
    if before["environment"]["hash"] != content["environment"]["hash"]:
        raise UsageError(f"{folder} was played with another version or configuration of {content['environment']['id']}")


def _resume_command(folder: Path) -> str:
    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    if not any(argument == "--out" or argument.startswith("--out=") for argument in arguments):
        arguments += ["--out", str(folder)]
    return shlex.join([os.path.basename(sys.argv[0]), *arguments, "--resume"])


def tell(folder: Path, as_json: bool) -> None:
    """Write the run's report and show it. Raises typer.Exit(1) if any episode failed."""
    from agentgym.evals.report import markdown, write_report

    content = write_report(folder)
    if as_json:
        import json

        print(json.dumps(content))
    else:
        from rich.markdown import Markdown

        Console().print(Markdown(markdown(content)))
        err.print(f"stored in {folder}")
    if content["failed"]:
        causes = {trajectory.cause for trajectory in Store(folder) if trajectory.status == "failed"}
        err.print(f"[bold red]{content['failed']} episodes failed[/]: " + escape("; ".join(sorted(causes)[:3])))
        raise typer.Exit(FAILED)

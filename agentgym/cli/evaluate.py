"""`agentgym eval`: a policy on held-out tasks or on a pinned suite, reported with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentgym.cli import policies
from agentgym.cli.options import Env, Json, Limit, Sandbox, Seed, Set, Tasks, environment, runtime_for
from agentgym.cli.rollout import Concurrency, Out, Plan, Resume, Samples, Split, folder_for, play, tasks_of, tell
from agentgym.errors import UsageError
from agentgym.tasks import Task

Suite = Annotated[
    str | None, typer.Option("--suite", help="Play a pinned suite: its file.json, or the name of one that is shipped.")
]
Pin = Annotated[Path | None, typer.Option(help="Also write what is played as a suite into this file.")]


def evaluate(
    env: Env,
    policy: policies.Name,
    split: Split = "test",
    limit: Limit = None,
    samples: Samples = 1,
    concurrency: Concurrency = 16,
    out: Out = None,
    resume: Resume = False,
    seed: Seed = 0,
    tasks: Tasks = None,
    settings: Set = None,
    suite_name: Suite = None,
    pin: Pin = None,
    sandbox: Sandbox = "auto",
    base_url: policies.BaseUrl = None,
    temperature: policies.Temperature = 1.0,
    max_tokens: policies.MaxTokens = 1024,
    images: policies.Images = None,
    as_json: Json = False,
) -> None:
    """Evaluate a policy: success with 95% intervals, pass@k, channels; `report.json` beside the episodes."""
    from agentgym.evals import suite as suites

    spec = environment(env, tasks, settings)
    suite = suites.find(suite_name) if suite_name else None
    if suite and (tasks or settings or pin):
        raise UsageError("a suite is pinned: --tasks, --set and --pin do not go with --suite")
    player = policies.policy_of(policy, spec, policies.Sampling(base_url, temperature, max_tokens, images))
    config = {"suite": suite.name} if suite else {"split": split}
    if suite:
        seed, samples = suite.seed, suite.samples
    plan = Plan(spec, player, folder_for(out, spec, policy), seed, samples, concurrency, config)
    runtime = runtime_for(spec, sandbox)

    async def choose() -> list[Task]:
        if suite:
            plan.spec, pinned = await suite.open(runtime, spec)
            return pinned[:limit]
        if pin:
            made = await suites.pin(
                *(spec, runtime), name=pin.stem, split=split, limit=limit or 1000, seed=seed, samples=samples
            )
            made.write(pin)
        return await tasks_of(spec, runtime, split, limit)

    play(plan, runtime, choose, resume)
    tell(plan.folder, as_json)

"""`python -m agentgym.envs.swe.mini_swe_agent ENV --model NAME`: play tasks with mini-swe-agent into a run's folder."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

from agentgym.cli.options import environment
from agentgym.cli.rollout import folder_for, tasks_of
from agentgym.envs.swe.mini_swe_agent.agents import Make, maker
from agentgym.envs.swe.mini_swe_agent.play import NAME, collect
from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError
from agentgym.manifest import manifest, write_manifest
from agentgym.runtime import Runtime
from agentgym.store import Store


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 1 if anything failed."""
    given = _parser().parse_args(arguments)
    try:
        spec = environment(given.env, given.tasks, given.settings)
        make = maker(given.model, config=given.config, model_class=given.model_class)
        return asyncio.run(_run(spec, make, given))
    except AgentGymError as error:
        print(f"agentgym: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("agentgym: interrupted; the same command with the run's folder as --out goes on", file=sys.stderr)
        return 130


async def _run(spec: EnvSpec, make: Make, given: argparse.Namespace) -> int:
    folder: Path = folder_for(given.out, spec, f"{NAME}-{given.model or 'model'}")
    failed = 0
    async with Runtime(backend=given.sandbox) as runtime:
        tasks = await tasks_of(spec, runtime, given.split, given.limit)
        hashes = {task.id: task.hash for task in tasks}
        write_manifest(
            folder, manifest(spec, runtime, seed=given.seed, policy=NAME, tasks=hashes, samples=given.samples, model=given.model)
        )  # fmt: skip
        episodes = collect(
            *(spec, make, tasks),
            runtime=runtime,
            run=folder.name,
            seed=given.seed,
            group_size=given.samples,
            concurrency=given.concurrency,
            store=Store(folder),
        )
        async with aclosing(episodes) as ending:  # type: ignore[type-var]
            async for each in ending:
                said = each.cause or f"success {each.success:g}" if each.success is not None else each.cause or "masked"
                print(
                    f"{each.key.task} sample {each.key.sample}: {each.status}, {each.end or 'failure'}: {said}",
                    flush=True,
                )
                failed += each.status == "failed"
    print(f"stored in {folder}", file=sys.stderr)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agentgym.envs.swe.mini_swe_agent", description=__doc__)
    parser.add_argument(
        "env", metavar="ENV", help="swe/release-v0, swe/bugs-v0, swe/bench-v0, or any with shell and submit"
    )
    parser.add_argument("--model", help="a name for mini-swe-agent's own models, as openai/NAME for an endpoint")
    parser.add_argument("--model-class", default="", help="one of mini-swe-agent's model classes")
    parser.add_argument("--config", default="mini", help="one of its configuration files, by name or path")
    parser.add_argument("--tasks", type=Path, help="a task file for the environment")
    parser.add_argument(
        "--set", dest="settings", action="append", metavar="KEY=VALUE", help="an option of the environment"
    )
    parser.add_argument("--split", default="train")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sandbox", default=None, help="auto, docker, bubblewrap")
    parser.add_argument("--out", type=Path, help="the run's folder (default: a new one under runs/)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

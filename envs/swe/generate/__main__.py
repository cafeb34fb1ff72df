"""Make release tasks: `python -m agentgym.envs.swe.generate PACKAGES_FILE --out TASKS_FILE`.

Stopped at any moment, it goes on from TASKS_FILE.journal.jsonl when it is started again; TASKS_FILE.report.md says
what became of every candidate.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from agentgym import backends
from agentgym.envs.swe import boxes
from agentgym.envs.swe.generate import plan, report
from agentgym.envs.swe.generate.journal import Journal
from agentgym.envs.swe.generate.maker import Maker, make
from agentgym.envs.swe.generate.taskfile import TaskFile
from agentgym.envs.swe.generate.trials import Trials
from agentgym.errors import AgentGymError, UsageError


def _arguments(arguments: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m agentgym.envs.swe.generate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("packages", type=Path, metavar="PACKAGES_FILE", help='JSON: {"packages": ["name", {...}]}')
    parser.add_argument("--out", type=Path, required=True, metavar="TASKS_FILE", help="made, or added to")
    parser.add_argument("--packages", nargs="+", dest="only", metavar="NAME", help="only these of the file")
    parser.add_argument("--backend", default="auto", help="the sandbox backend (default: the first that works)")
    parser.add_argument("--jobs", type=int, default=1, help="packages at once")
    parser.add_argument("--timeout", type=float, default=90.0, help="for one run of tests, in seconds")
    return parser.parse_args(arguments)


async def run(options: Namespace) -> Maker:
    """Make what the options ask for. Raises UsageError or TaskError."""
    packages = plan.load(options.packages)
    if unknown := set(options.only or ()) - {package.name for package in packages}:
        raise UsageError(f"{options.packages} has no {', '.join(sorted(unknown))}")
    open_box = boxes.of_backend(backends.choose(options.backend))
    maker = Maker(
        TaskFile(options.out),
        Journal(options.out.with_name(options.out.name + ".journal.jsonl")),
        Trials(open_box, options.timeout),
        await boxes.python_of(open_box),
        tell=lambda line: print(line, flush=True),
    )
    try:
        await make(
            maker, [package for package in packages if not options.only or package.name in options.only], options.jobs
        )
    finally:
        options.out.with_name(options.out.name + ".report.md").write_text(report.markdown(maker.outcomes))
    return maker


def main(arguments: list[str] | None = None) -> int:
    options = _arguments(arguments)
    try:
        maker = asyncio.run(run(options))
    except AgentGymError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(maker.file.tasks)} tasks in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

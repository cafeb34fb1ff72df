"""`agentgym audit`: an environment's release gate, on the command line. The checks are `agentgym.testing`'s."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentgym.cli.failures import FAILED
from agentgym.cli.options import Env, Json, Limit, Sandbox, Seed, Set, Tasks, environment, runtime_for
from agentgym.cli.progress import bars
from agentgym.testing import AuditReport, Tally, check_environment

Concurrency = Annotated[int, typer.Option(min=1, help="Episodes at once.")]


def audit(
    env: Env,
    tasks: Tasks = None,
    limit: Limit = None,
    settings: Set = None,
    concurrency: Concurrency = 16,
    seed: Seed = 0,
    sandbox: Sandbox = "auto",
    as_json: Json = False,
) -> None:
    """Check an environment: oracle 1, noop and cheats 0, replay, forks, hostile actions, leaks. Exit 1 if it fails."""
    spec = environment(env, tasks, settings)
    runtime_for(spec, sandbox)
    with bars() as progress:
        report = asyncio.run(
            check_environment(spec, backend=sandbox, limit=limit, concurrency=concurrency, seed=seed, progress=progress)
        )
    if as_json:
        print(report.model_dump_json())
    else:
        _show(report)
    if not report.passed:
        raise typer.Exit(FAILED)


def _show(report: AuditReport) -> None:
    console = Console(highlight=False)
    table = Table("check", "wanted", "found", box=None, header_style="bold", pad_edge=False)
    table.add_row("oracle", "1 on every task", _tally(report.oracle))
    table.add_row("noop", "0", _tally(report.noop))
    table.add_row("random", f"≤ {report.chance:g}", _tally(report.random))
    for name, worst in report.cheats.items():
        table.add_row(name, "0", "never scored" if worst is None else f"at most {worst:g}")
    table.add_row("replay in a new process", "identical", _answer(report.replay_identical, "identical", "DIFFERS"))
    table.add_row("forks", "independent", _answer(report.forks_independent, "independent", "NOT INDEPENDENT"))
    table.add_row("left behind", "nothing", f"{len(report.leaks)} things" if report.leaks else "nothing")
    console.print(table)
    for problem in report.problems:
        console.print(f"[red]✗[/] {escape(problem)}")
    verdict = "[bold green]passed[/]" if report.passed else f"[bold red]failed[/]: {len(report.problems)} problems"
    console.print(f"{report.env}: {verdict}")


def _tally(tally: Tally) -> str:
    return "never scored" if tally.mean is None else f"{tally.mean:.3g} over {tally.n} episodes, at most {tally.max:g}"


def _answer(value: bool | None, yes: str, no: str) -> str:
    return "not promised" if value is None else yes if value else no

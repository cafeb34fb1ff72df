"""`agentgym compare`: is run B better than run A? A paired bootstrap over the tasks of both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from agentgym.cli.failures import err
from agentgym.cli.options import Json, Seed
from agentgym.errors import UsageError
from agentgym.store import Store, read_json

Run = Annotated[Path, typer.Argument(help="A run's folder.")]


def compare(run_a: Run, run_b: Run, seed: Seed = 0, as_json: Json = False) -> None:
    """Compare the success of two runs on the tasks that both have."""
    from agentgym.evals.comparison import compare as bootstrap
    from agentgym.evals.metrics import success_by_task

    manifests = [_manifest(run) for run in (run_a, run_b)]
    _check_same(manifests)
    found = bootstrap(success_by_task(Store(run_a)), success_by_task(Store(run_b)), seed=seed)
    if as_json:
        print(found.model_dump_json())
        return
    console = Console(highlight=False)
    console.print(f"A  {found.a:7.1%}  {manifests[0]['policy']}  ({run_a})", soft_wrap=True)
    console.print(f"B  {found.b:7.1%}  {manifests[1]['policy']}  ({run_b})", soft_wrap=True)
    console.print(
        f"B − A = {found.difference:+.1%}, 95% interval [{found.low:+.1%}, {found.high:+.1%}], p = {found.p_value:.2g}; "
        f"{found.tasks} tasks: {found.better} better, {found.worse} worse",
        soft_wrap=True,
    )
    if found.only_a or found.only_b:
        console.print(f"left out: {found.only_a} tasks that only A scored, {found.only_b} that only B did")
    console.print("[bold]different[/]" if found.significant else "no difference can be told")


def _manifest(run: Path) -> dict[str, Any]:
    if not (run / "manifest.json").is_file():
        raise UsageError(f"{run} is no run: it has no manifest.json")
    manifest: dict[str, Any] = read_json(run / "manifest.json")
    return manifest


def _check_same(manifests: list[dict[str, Any]]) -> None:
    a, b = (manifest["environment"] for manifest in manifests)
    if a["id"] != b["id"]:
        raise UsageError(f"the runs are of different environments: {a['id']} and {b['id']}")
    if a["hash"] != b["hash"]:
        err.print(f"[yellow]warning:[/] the two runs used {a['id']} under different configurations or versions")
    common = manifests[0]["tasks"].keys() & manifests[1]["tasks"].keys()
    if changed := [id for id in common if manifests[0]["tasks"][id] != manifests[1]["tasks"][id]]:
        raise UsageError(f"{len(changed)} tasks are not the same in the two runs, {changed[0]} among them")

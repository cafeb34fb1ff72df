"""Options that several commands share, and how an ENV argument becomes a spec. No command is here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from agentgym.cli.failures import err
from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.registry import find
from agentgym.runtime import Runtime

Env = Annotated[
    str, typer.Argument(metavar="ENV", help="An id from `agentgym list`, or a file.py that defines a spec.")
]
Sandbox = Annotated[
    str,
    typer.Option(
        envvar="AGENTGYM_SANDBOX",
        help="Where agent code runs: auto, docker, bubblewrap, or another that `agentgym doctor` lists.",
    ),
]
Tasks = Annotated[Path | None, typer.Option(help="A task file for the environment (its option `tasks_file`).")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the environment.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many tasks.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Seed = Annotated[int, typer.Option(help="The run's seed.")]


def environment(name: str, tasks: Path | None = None, settings: list[str] | None = None) -> EnvSpec:
    """The spec that ENV, --tasks and --set ask for. Raises UsageError."""
    spec = find(name)
    changes: dict[str, Any] = dict(setting(text) for text in settings or [])
    if tasks is not None:
        if "tasks_file" not in type(spec.config).model_fields:
            raise UsageError(f"{spec.id} takes no task file: its tasks are its own")
        if not tasks.is_file():
            raise UsageError(f"no task file {tasks}")
        changes["tasks_file"] = str(tasks.resolve())
    return spec.configure(**changes)


def setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE as a pair; the value is JSON where it can be, else text."""
    key, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"options are KEY=VALUE, not {text!r}")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def runtime_for(spec: EnvSpec, backend: str) -> Runtime:
    """A runtime with that backend, told on stderr if the environment runs in boxes. Raises UsageError if it can not."""
    runtime = Runtime(backend=backend)
    if spec.needs:
        err.print(f"sandbox: [bold]{runtime.sandbox_class.name}[/]")
    return runtime

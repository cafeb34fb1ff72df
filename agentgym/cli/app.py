"""The commands of `agentgym`, put together. What each does lives in the file of its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from agentgym import __version__
from agentgym.cli.audit import audit
from agentgym.cli.compare import compare
from agentgym.cli.doctor import doctor
from agentgym.cli.evaluate import evaluate
from agentgym.cli.failures import told
from agentgym.cli.listing import listing
from agentgym.cli.plugins import add
from agentgym.cli.replay import replay
from agentgym.cli.rollout import rollout
from agentgym.cli.train import train

app = typer.Typer(
    name="agentgym",
    help="The gym for LLM agents: environments, verified rewards, rollouts, training, evaluation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
COMMANDS: dict[str, Callable[..., None]] = {
    "list": listing,
    "doctor": doctor,
    "audit": audit,
    "rollout": rollout,
    "train": train,
    "eval": evaluate,
    "compare": compare,
    "replay": replay,
}


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


for name, command in COMMANDS.items():
    app.command(name)(told(command))
add(app, taken=COMMANDS)

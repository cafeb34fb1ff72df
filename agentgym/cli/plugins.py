"""Commands that environments add: entry points of the group `agentgym.commands`, loaded when one is called.

Such a command is a function of the arguments behind its name. It prints one JSON object; what it raises is told as any
other command's failure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib.metadata import EntryPoint, entry_points

import typer

from agentgym.cli.failures import told
from agentgym.errors import UsageError

GROUP = "agentgym.commands"
Command = Callable[[Sequence[str]], None]


def add(app: typer.Typer, taken: Collection[str]) -> None:
    """Add them all to `app` without importing any. A name in `taken` stays what it is."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name not in taken:
            app.command(
                point.name,
                help=f"From {point.module}; `{point.name} --help` says more.",
                add_help_option=False,
                context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
                rich_help_panel="Commands of environments",
            )(told(_passed_on(point)))


def _passed_on(point: EntryPoint) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        _loaded(point)(context.args)

    return run


def _loaded(point: EntryPoint) -> Command:
    try:
        command: Command = point.load()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise UsageError(f"the command {point.name!r} ({point.value}) can not be loaded: {said}") from error
    return command

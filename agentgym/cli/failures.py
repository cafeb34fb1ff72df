"""How a command fails: one clear message on stderr and an exit code; never a stack trace for what was foreseen.

0: done. 1: it ran, and what it checked or ran did not pass. 2: it was asked for what can not be. 130: interrupted.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from agentgym.errors import AgentGymError, TaskError, UsageError

FAILED, USAGE, INTERRUPTED = 1, 2, 130
err = Console(stderr=True, highlight=False, soft_wrap=True)


def told(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with its foreseen failures told as this file says. SIGTERM counts as Ctrl-C."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            err.print("[bold yellow]interrupted[/]")
            raise typer.Exit(INTERRUPTED) from None
        except AgentGymError as error:
            err.print(f"[bold red]error:[/] {escape(str(error))}")
            raise typer.Exit(USAGE if isinstance(error, UsageError | TaskError) else FAILED) from None

    return run


def _interrupt(*_: object) -> None:
    """As Ctrl-C, also where that is ignored: a shell has put us into the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)

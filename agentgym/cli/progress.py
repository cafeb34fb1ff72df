"""Progress bars on stderr; nothing where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from agentgym.cli.failures import err


class Advance(Protocol):
    def __call__(self, what: str, done: int, total: int) -> None: ...


@contextmanager
def bars() -> Iterator[Advance]:
    """`advance(what, done, total)` while the block runs; one bar for each `what`."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        known: dict[str, TaskID] = {}

        def advance(what: str, done: int, total: int) -> None:
            name = what.partition(": ")[0]
            if name not in known:
                known[name] = progress.add_task(name)
            progress.update(known[name], completed=done, total=total, description=what)

        yield advance

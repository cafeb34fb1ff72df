"""Held-out discipline: what is kept for evaluation must not be trained on. Trainers call `refuse_held_out`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agentgym.errors import UsageError
from agentgym.evals.suite import Suite, shipped
from agentgym.tasks import Task


def refuse_held_out(tasks: Iterable[Task], suites: Sequence[Suite] | None = None) -> None:
    """Raises UsageError if any task is of split "test", or pinned in a suite by id or by content.

    Without `suites`, those shipped with agentgym count.
    """
    suites = list(shipped().values()) if suites is None else suites
    held: list[str] = []
    for task in tasks:
        if task.split == "test":
            held.append(f"{task.id} (split test)")
        for suite in suites:
            if task.hash in suite.tasks.values() or (task.env == suite.env and task.id in suite.tasks):
                held.append(f"{task.id} (suite {suite.name})")
    if held:
        raise UsageError(
            f"{len(held)} held-out tasks among those to train on: {', '.join(held[:5])}. "
            "Train on splits train and validation, and keep the rest for evaluation."
        )

"""StateRef: a point in an episode that one can come back to. Deterministic replay, with native state as a bonus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agentgym.tasks import Task
from agentgym.types import Action


@dataclass(slots=True)
class StateRef:
    """(task, seed, actions) reach the state from nothing, in any process; `native` reaches it faster in this one.

    Owned by who took it: give it back with `Environment.release`. `native` never crosses a process (pickle drops it).
    """

    task: Task
    seed: int
    actions: tuple[Action, ...] = ()
    hash: str | None = None
    native: Any = field(default=None, repr=False, compare=False)
    turns: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.task, self.seed, self.actions, self.hash)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.task, self.seed, self.actions, self.hash = state
        self.native, self.turns = None, ()

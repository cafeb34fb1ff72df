"""The Policy contract and the context it acts in. Implementations live in `agentgym.policies`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from agentgym.tasks import Task
from agentgym.tools import Tool
from agentgym.types import Action, Message, Observation


@dataclass(slots=True)
class Context:
    """All that a policy may know when it acts.

    `messages` is the whole conversation of the current context, of which those from `new` on have not been seen by
    the policy in a model call; `tokens` are the ids of that context so far (empty for a first call, or when the policy
    gives no samples).  `seed` depends on (task, sample, turn).  `task` is the whole task for privileged policies and
    the public one for all others; `revealed` is what the environment tells none but privileged ones.
    """

    messages: Sequence[Message]
    tools: Sequence[Tool]
    observation: Observation
    task: Task
    actor: str = "agent"
    turn: int = 0
    seed: int = 0
    new: int = 0
    tokens: Sequence[int] = field(default_factory=tuple)
    token_limit: int | None = None
    revealed: Any = None


@runtime_checkable
class Policy(Protocol):
    """Whatever acts. Stateless between calls: all it needs is in the context.

    `act` returns `n` alternative actions.  Raises PolicyError (the endpoint is at fault) and
    LimitExceeded("context") (the conversation no longer fits: the episode is truncated).
    """

    name: str
    privileged: bool

    async def act(self, context: Context, n: int = 1) -> list[Action]: ...


class Scripted:
    """A policy from a function of the context; `oracle`, `noop`, `random` and the cheats are made of these.

    `play(context)` returns an Action, and must be a function of the context alone (a coroutine function is awaited).
    """

    def __init__(self, name: str, play: Callable[[Context], Any], privileged: bool = False) -> None:
        self.name = name
        self.privileged = privileged
        self._play = play

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        action = self._play(context)
        if hasattr(action, "__await__"):
            action = await action
        return [action] * n

    def __repr__(self) -> str:
        return f"Scripted({self.name!r})"

"""`learn/doors-v0`: eight doors, each opened by a handle of its own; nothing says whether a handle was right. No sandbox.

Built to need credit assignment: the outcome pays only if all eight were right, while which of them were is known turn
by turn (the process channel `step`), and no turn depends on another.
"""

from __future__ import annotations

from agentgym.environment import Environment
from agentgym.envspec import Config, EnvSpec
from agentgym.policy import Context, Scripted
from agentgym.tools import tool
from agentgym.trainers.learning.parts import AllRight, call, draws, turns_rubric
from agentgym.types import Action, Limits

ID = "learn/doors-v0"
HANDLES = 8
TURNS = 8


class Doors(Environment[Config]):
    """`right` counts the doors opened so far."""

    async def on_reset(self) -> str:
        self.doors = [self.rng.randrange(HANDLES) for _ in range(TURNS)]
        self.at = self.right = 0
        return f"door {self.doors[0]}"

    @tool
    def turn_handle(self, handle: int) -> str:
        """Turn a handle of the door; the next one follows, whether it opened or not."""
        if handle == opens(self.doors[self.at]):
            self.right += 1
            self.score("step", 1.0)
        return self._next()

    async def on_text(self, text: str) -> str:
        """Words open no door."""
        return self._next()

    def _next(self) -> str:
        self.at += 1
        if self.at == TURNS:
            self.end("passed")
            return "bye"
        return f"door {self.doors[self.at]}"

    async def state(self) -> dict[str, object]:
        return {"doors": self.doors, "at": self.at, "right": self.right}

    async def artefacts(self) -> dict[str, str]:
        return {"right": str(self.right)}


def opens(door: int) -> int:
    """The handle that opens a door: a permutation, so that no handle is worth more than another."""
    return (3 * door + 5) % HANDLES


def _door(context: Context) -> int:
    told = [message.text for message in context.messages if message.role in ("user", "tool")]
    return int(told[-1].split()[1])


def _handle(number: int) -> Action:
    return call("turn_handle", handle=number)


DOORS = EnvSpec(
    ID,
    Doors,
    draws(ID),
    AllRight(TURNS),
    turns_rubric(TURNS),
    limits=Limits(turns=TURNS),
    policies={
        "oracle": lambda: Scripted("oracle", lambda context: _handle(opens(_door(context)))),
        "noop": lambda: Scripted("noop", lambda context: Action("no")),
        "random": lambda: Scripted("random", lambda context: _handle(context.seed % HANDLES)),
        "cheat/one-handle": lambda: Scripted("cheat/one-handle", lambda context: _handle(0)),
    },
    description="Eight doors, each opened by a handle of its own.",
)

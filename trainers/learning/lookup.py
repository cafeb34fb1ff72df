"""`learn/lookup-v0`: get a key, put the value that it shows, say done. Right only if all three turns are; no sandbox.

The gate of every trainer: the shortest task in which a model must read an answer, and be right several times over.
"""

from __future__ import annotations

from agentgym.environment import Environment
from agentgym.envspec import Config, EnvSpec
from agentgym.policy import Context, Scripted
from agentgym.tools import tool
from agentgym.trainers.learning.parts import AllRight, call, draws, turns_rubric
from agentgym.types import Action, Limits

ID = "learn/lookup-v0"
KEYS = 8
TURNS = 3


class Lookup(Environment[Config]):
    """`right` counts the turns that were right, as far as all before them were."""

    async def on_reset(self) -> str:
        self.key, self.value = int(self.task.payload["key"]), self.rng.randrange(KEYS)
        self.right = 0
        return f"key {self.key}"

    @tool
    def get(self, key: int) -> str:
        """Show the value of a key."""
        self._note(0, key == self.key)
        return f"value {self.value}" if key == self.key else "nothing"

    @tool
    def put(self, value: int) -> str:
        """Hand in the value."""
        self._note(1, value == self.value)
        return "ok"

    @tool
    def done(self) -> str:
        """End."""
        self._note(2, True)
        self.end("done")
        return "bye"

    def _note(self, place: int, right: bool) -> None:
        if right and self.turn == self.right == place:
            self.right += 1
            self.score("step", 1.0)

    async def state(self) -> dict[str, int]:
        return {"key": self.key, "value": self.value, "right": self.right}

    async def artefacts(self) -> dict[str, str]:
        return {"right": str(self.right)}


def _oracle(context: Context) -> Action:
    told = [message.text.split() for message in context.messages if message.role in ("user", "tool")]
    values = [int(words[1]) for words in told if words[0] == "value"]
    if ["ok"] in told:
        return call("done")
    return call("put", value=values[-1]) if values else call("get", key=int(told[0][1]))


def _random(context: Context) -> Action:
    number = context.seed % KEYS
    moves = [call("get", key=number), call("put", value=number), call("done")]
    return moves[context.seed // KEYS % len(moves)]


def _blind(context: Context) -> Action:
    return [call("put", value=0), call("put", value=1), call("done")][context.turn]


LOOKUP = EnvSpec(
    ID,
    Lookup,
    draws(ID, lambda number: {"key": number % KEYS}),
    AllRight(TURNS),
    turns_rubric(TURNS),
    limits=Limits(turns=TURNS),
    chance=0.01,
    policies={
        "oracle": lambda: Scripted("oracle", _oracle),
        "noop": lambda: Scripted("noop", lambda context: call("done")),
        "random": lambda: Scripted("random", _random),
        "cheat/blind": lambda: Scripted("cheat/blind", _blind),
    },
    description="Get a key, put the value that it shows, say done.",
)

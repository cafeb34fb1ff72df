"""`learn/chain-v0`: follow the links from a number, in one message whose last word is where the second leads. No sandbox.

Built to have something to shorten: the numbers on the way lead to the answer, and the warm start's expert says each of
them several times.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import Config, EnvSpec
from agentgym.policy import Context, Scripted
from agentgym.rewards import Channel, Rubric
from agentgym.trainers.learning.parts import draws
from agentgym.types import Action, Limits, Score
from agentgym.verifier import Evidence, Verifier

ID = "learn/chain-v0"
LINKS = 2


class Chain(Environment[Config]):
    async def on_reset(self) -> str:
        self.start = self.rng.randrange(10)
        return f"start {self.start}"

    async def on_text(self, text: str) -> str:
        words = text.split()
        self.end("answered", answer=words[-1] if words else "")
        return "bye"

    async def state(self) -> int:
        return self.start

    async def artefacts(self) -> dict[str, str]:
        return {"answer": self.answer or "", "wanted": follow(self.start)[-1]}


class Answered(Verifier):
    name = "answered"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [Score("success", float(evidence.artefacts["answer"] == evidence.artefacts["wanted"]))]


def follow(start: int) -> list[str]:
    """The numbers on the way, of which the last is the answer: each link leads three further on."""
    return [str((start + 3 * link) % 10) for link in range(1, LINKS + 1)]


def rambling(most: int, noise: float) -> Scripted:
    """An expert that says each number up to `most` times and, with probability `noise`, ends on a wrong one."""

    def play(context: Context) -> Action:
        rng = Random(context.seed)
        numbers = _way(context)
        if rng.random() < noise:
            numbers[-1] = str(rng.randrange(10))
        return Action(" ".join(number for number in numbers for _ in range(rng.randint(1, most))))

    return Scripted(f"rambling-{most}", play)


def _way(context: Context) -> list[str]:
    return follow(int(context.messages[-1].text.split()[1]))


def _says(text: Callable[[Context], str]) -> Callable[[Context], Action]:
    return lambda context: Action(text(context))


CHAIN = EnvSpec(
    ID,
    Chain,
    draws(ID),
    Answered(),
    Rubric((Channel("success", "outcome"),)),
    limits=Limits(turns=1),
    chance=0.1,
    policies={
        "oracle": lambda: Scripted("oracle", _says(lambda context: " ".join(_way(context)))),
        "noop": lambda: Scripted("noop", _says(lambda context: "no")),
        "random": lambda: Scripted("random", _says(lambda context: str(context.seed % 10))),
        "cheat/all": lambda: Scripted("cheat/all", _says(lambda context: "0123456789")),
    },
    description="Follow two links from a number, in as many words as you like.",
)

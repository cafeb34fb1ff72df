"""`learn/sums-v0`: the sum of some digits, modulo ten, in one message whose last word is the answer. No sandbox.

Built to have something to shorten: running sums lead to the answer, and the warm start's expert says each several times.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import Config, EnvSpec
from agentgym.policy import Context, Scripted
from agentgym.rewards import Channel, Rubric
from agentgym.trainers.learning.parts import draws
from agentgym.types import Action, Limits, Score
from agentgym.verifier import Evidence, Verifier

ID = "learn/sums-v0"
DIGITS = 3


class Sums(Environment[Config]):
    async def on_reset(self) -> str:
        self.digits = [self.rng.randrange(10) for _ in range(DIGITS)]
        return " ".join(map(str, self.digits))

    async def on_text(self, text: str) -> str:
        words = text.split()
        self.end("answered", answer=words[-1] if words else "")
        return "bye"

    async def state(self) -> list[int]:
        return self.digits

    async def artefacts(self) -> dict[str, str]:
        return {"answer": self.answer or "", "sum": str(sum(self.digits) % 10)}


class Answered(Verifier):
    name = "answered"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [Score("success", float(evidence.artefacts["answer"] == evidence.artefacts["sum"]))]


def running(context: Context) -> list[str]:
    """The running sums, of which the last is the answer."""
    digits = map(int, context.messages[-1].text.split())
    return [str(number % 10) for number in accumulate(digits)][1:]


def rambling(most: int, noise: float) -> Scripted:
    """An expert that says each running sum up to `most` times and, with probability `noise`, ends on a wrong one."""

    def play(context: Context) -> Action:
        rng = Random(context.seed)
        sums = running(context)
        if rng.random() < noise:
            sums[-1] = str(rng.randrange(10))
        return Action(" ".join(number for number in sums for _ in range(rng.randint(1, most))))

    return Scripted(f"rambling-{most}", play)


def _says(text: Callable[[Context], str]) -> Callable[[Context], Action]:
    return lambda context: Action(text(context))


SUMS = EnvSpec(
    ID,
    Sums,
    draws(ID),
    Answered(),
    Rubric((Channel("success", "outcome"),)),
    limits=Limits(turns=1),
    chance=0.1,
    policies={
        "oracle": lambda: Scripted("oracle", _says(lambda context: " ".join(running(context)))),
        "noop": lambda: Scripted("noop", _says(lambda context: "no")),
        "random": lambda: Scripted("random", _says(lambda context: str(context.seed % 10))),
        "cheat/all": lambda: Scripted("cheat/all", _says(lambda context: "0123456789")),
    },
    description="Add digits modulo ten, in as many words as you like.",
)

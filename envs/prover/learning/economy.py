"""What a proof costs in generated tokens, and two ways to make it cheaper: thinking only where it helps, and diverse prefixes.

"EconProver" (arXiv 2509.12603).  The paper's prompts, its switch and its hyper-parameters are not known to us: how a model is
told to think or not, after how many passes it begins to, and the prefixes are configuration.  Policies are any Policy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agentgym.envs.prover.learning import language
from agentgym.envs.prover.learning.searching import Arena, Attempt, ProposeFor
from agentgym.policy import Policy
from agentgym.tasks import Task


@dataclass(slots=True, frozen=True)
class EconomyConfig:
    """How a theorem is attempted. A pass is one search; what is proved gets no further pass.

    `thinking`: "never", "always", or "switch": only from pass `direct_passes` on.  `think`, `direct`: what a prompt ends
    with in either case.  `prefixes`: what it begins with; pass n takes the n-th, in turn.  `samples`: for each state.
    """

    passes: int = 4
    thinking: Literal["never", "always", "switch"] = "switch"
    direct_passes: int = 2
    prefixes: tuple[str, ...] = ("",)
    think: str = "\nThink first; the tactic is the last line."
    direct: str = ""
    samples: int = 4

    def thinks(self, number: int) -> bool:
        """Whether pass `number`, from 0, is one with reasoning."""
        return self.thinking == "always" or (self.thinking == "switch" and number >= self.direct_passes)


class Bill(BaseModel):
    """What a configuration has cost over all theorems, those not proved included; `cpu_s` is the prover's."""

    model_config = ConfigDict(frozen=True)

    theorems: int
    proved: int
    failed: int
    passes: int
    tokens: int
    tactics: int
    cpu_s: float

    def each(self) -> dict[str, float]:
        """Tokens, tactics and seconds for each theorem that was proved; infinite if none was."""
        spent = {"tokens": self.tokens, "tactics": self.tactics, "cpu_s": self.cpu_s}
        return {name: value / self.proved if self.proved else float("inf") for name, value in spent.items()}


async def attempt_all(
    arena: Arena, tasks: Sequence[Task], proposers: Callable[[int], ProposeFor], passes: int
) -> AsyncIterator[tuple[int, Attempt]]:
    """Pass after pass over what is not proved yet; `proposers(n)` proposes in pass n. Failed attempts are tried again."""
    left = list(tasks)
    for number in range(passes):
        proved = set()
        async for attempt in arena.search(left, proposers(number), number):
            proved |= {attempt.theorem} if attempt.proved else set()
            yield number, attempt
        left = [task for task in left if task.id not in proved]


def bill(attempts: Iterable[tuple[int, Attempt]]) -> Bill:
    """The sum over all passes."""
    numbered = list(attempts)
    every = [attempt for _, attempt in numbered]
    proved = {attempt.theorem for attempt in every if attempt.proved}
    searched = {attempt.theorem for attempt in every if not attempt.failed}
    return Bill(
        theorems=len(searched),
        proved=len(proved),
        failed=len({attempt.theorem for attempt in every} - searched),
        passes=1 + max((number for number, _ in numbered), default=-1),
        tokens=sum(attempt.found.tokens for attempt in every),
        tactics=sum(attempt.found.tactics for attempt in every),
        cpu_s=round(sum(attempt.found.cpu_s for attempt in every), 2),
    )


def preferences(direct: Iterable[Attempt], thinking: Iterable[Attempt]) -> dict[str, Literal["direct", "think"]]:
    """What a model should learn to choose for each theorem that either way proved: direct wherever that was enough."""
    chosen: dict[str, Literal["direct", "think"]] = {each.theorem: "think" for each in thinking if each.proved}
    return chosen | {each.theorem: "direct" for each in direct if each.proved}


def asking(policy: Policy, config: EconomyConfig, seed: int = 0) -> Callable[[int], ProposeFor]:
    """A model as a step-prover, for each pass: `config.samples` answers to every state."""

    def in_pass(number: int) -> ProposeFor:
        end = config.think if config.thinks(number) else config.direct
        begin = config.prefixes[number % len(config.prefixes)]
        return lambda problem: language.prover(policy, problem, config.samples, seed, number, begin, end)

    return in_pass

"""What a proof costs in generated tokens, and two ways to make it cheaper: thinking only where it helps, and diverse prefixes.

"EconProver" (arXiv 2509.12603).  The paper's prompts, its switch and its hyper-parameters are not known to us: how a model is
told to think or not, after how many passes it begins to, and the prefixes are configuration.  Policies are any Policy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Goals, Problem
from agentgym.envs.prover.learning.searching import Arena, Attempt, ProposeFor
from agentgym.envs.prover.search import Proposal, Propose
from agentgym.envs.prover.tasks import ENV
from agentgym.policy import Context, Policy
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.types import Action, Message, Observation


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
    """A model as a step-prover, for each pass: `config.samples` answers to every state.

    Of a model that tells no log-probabilities all answers count as equally likely, and tokens are its words.
    """

    def in_pass(number: int) -> ProposeFor:
        end = config.think if config.thinks(number) else config.direct
        begin = config.prefixes[number % len(config.prefixes)]

        def propose_for(problem: Problem) -> Propose:
            task = Task(problem.name, ENV, asdict(problem))

            async def propose(goals: Goals) -> list[Proposal]:
                message = Message("user", f"{begin}{render.goals(goals)}:::{end}")
                context = Context([message], (), Observation((message,), fresh=True), task, turn=number)
                context.seed = derive_seed("step-prover", seed, problem.name, number, goals.hash)
                return [_proposal(action, config.samples) for action in await policy.act(context, config.samples)]

            return propose

        return propose_for

    return in_pass


def _proposal(action: Action, samples: int) -> Proposal:
    """The last line of an answer is its tactic."""
    tactic = (action.text.strip().splitlines() or [""])[-1].strip()
    if action.sample is not None and action.sample.ids:
        return Proposal(tactic, sum(action.sample.logprobs), len(action.sample.ids))
    words = max(1, len(f"{action.reasoning} {action.text}".split()))
    return Proposal(tactic, -words * log(samples), words)

"""A language model as a step-prover: what it is asked in a state, how its answer is a tactic, and tactics as rows to teach it.

The prompt is BFS-Prover's, "{state}:::" (arXiv 2502.03438).  Any Policy will do: an endpoint, a local model, a script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from math import log

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Goals, Problem
from agentgym.envs.prover.learning.transitions import Transition
from agentgym.envs.prover.search import Proposal, Propose
from agentgym.envs.prover.tasks import ENV
from agentgym.errors import LimitExceeded, UsageError
from agentgym.policies.codec import Codec
from agentgym.policy import Context, Policy
from agentgym.row import Row
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.types import Action, EpisodeKey, Message, Observation


def prover(
    policy: Policy, problem: Problem, samples: int, seed: int = 0, turn: int = 0, begin: str = "", end: str = ""
) -> Propose:
    """`samples` answers of `policy` to every state of `problem`; none where the state is too long for it.

    Raises PolicyError. Of a model that tells no log-probabilities all answers count as equally likely, and tokens are
    its words.
    """

    async def propose(goals: Goals) -> list[Proposal]:
        context = _asked(f"{begin}{render.goals(goals)}:::{end}", Task(problem.name, ENV, asdict(problem)))
        context.turn, context.seed = turn, derive_seed("step-prover", seed, problem.name, turn, goals.hash)
        try:
            return [_proposal(action, samples) for action in await policy.act(context, samples)]
        except LimitExceeded:
            return []

    return propose


def rows(
    transitions: Iterable[Transition],
    codec: Codec,
    begin: str = "",
    end: str = "",
    thought: Callable[[Transition], str] | None = None,
) -> list[Row]:
    """Each tactic as the answer to its state, for `trainers.sft.train`. A tactic of several lines is written in one.

    thought: what the answer says before it, in lines of its own.  Give it `TransitionStore.positives()`.  Raises UsageError for a tactic that the codec cannot say.
    """
    made = []
    for each in transitions:
        context = _asked(f"{begin}{each.before}:::{end}", Task(each.theorem, ENV, {}))
        _, prompt = codec.prompt(context)
        before = f"{thought(each)}\n" if thought else ""
        ids = codec.write(Action(before + " ".join(each.tactic.split())), context)
        given, said = len(prompt), len(ids)
        mask, turn = [0] * given + [1] * said, [-1] * given + [0] * said
        key = EpisodeKey("taught", each.theorem)
        made.append(Row([*prompt, *ids], given, mask, [0.0] * (given + said), turn, key))
    if not made:
        raise UsageError("no tactics to make rows of: a store has positives once something was proved")
    return made


def _asked(text: str, task: Task) -> Context:
    message = Message("user", text)
    return Context([message], (), Observation((message,), fresh=True), task)


def _proposal(action: Action, samples: int) -> Proposal:
    """The last line of an answer is its tactic."""
    tactic = (action.text.strip().splitlines() or [""])[-1].strip()
    if action.sample is not None and action.sample.ids:
        return Proposal(tactic, sum(action.sample.logprobs), len(action.sample.ids))
    words = max(1, len(f"{action.reasoning} {action.text}".split()))
    return Proposal(tactic, -words * log(samples), words)

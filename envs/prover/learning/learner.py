"""A small model as a step-prover that learns from transitions: what expert iteration needs, and nothing of how it searches."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Goal, Goals, Problem
from agentgym.envs.prover.learning import scope
from agentgym.envs.prover.learning.features import View, view, words
from agentgym.envs.prover.learning.model import Example, FitConfig, TacticModel, Vocabulary, fit, usable
from agentgym.envs.prover.learning.templates import abstract
from agentgym.envs.prover.learning.transitions import Transition
from agentgym.envs.prover.policies import AUTOMATION
from agentgym.envs.prover.search import Proposal, Propose
from agentgym.errors import UsageError
from agentgym.seeds import derive_seed

ALWAYS = (*(f"{tactic}." for tactic in AUTOMATION), "intros.", "simpl.", "subst.", "induction {0}.", "destruct {0}.")
"""Templates that every model knows, so that search can put automation together with the steps that prepare it."""


@dataclass(slots=True, frozen=True)
class Reader:
    """Reads problems and goals as a model sees them. `problems`: of every theorem that transitions are about."""

    problems: Mapping[str, Problem]
    rarity: Mapping[str, float]
    prefixes: int = 1
    _views: dict[tuple[str, str], View] = field(default_factory=dict, repr=False)

    def example(self, transition: Transition) -> Example | None:
        """None if there is no goal to be seen, or the tactic has too many names."""
        goal, problem = render.first_goal(transition.before), self.problems[transition.theorem]
        if goal is None:
            return None
        known = {each.name for each in (*scope.of_goal(goal), *scope.of_file(problem.header))}
        found = abstract(transition.tactic, known)
        if found is None:
            return None
        key = (transition.theorem, transition.before)
        if key not in self._views:
            prefix = derive_seed("prefix", transition.theorem) % self.prefixes
            self._views[key] = self.view(problem, goal, prefix)
        return Example(self._views[key], *found)

    def view(self, problem: Problem, goal: Goal, prefix: int = 0) -> View:
        return view(goal, problem.header, ".".join(problem.module.split(".")[:2]), self.rarity, prefix)


class SmallProver:
    """A policy over templates. A value: learning makes another one."""

    def __init__(self, reader: Reader, model: TacticModel, width: int = 16, fitting: FitConfig | None = None) -> None:
        self.reader, self.model, self.width, self.fitting = reader, model, width, fitting or FitConfig()

    @classmethod
    def base(
        cls,
        transitions: Sequence[Transition],
        problems: Mapping[str, Problem],
        *,
        seed: int = 0,
        width: int = 16,
        prefixes: int = 1,
        fitting: FitConfig | None = None,
    ) -> SmallProver:
        """An untrained prover whose vocabulary is that of `transitions`. Raises UsageError if there are none."""
        goals = [goal for each in transitions if (goal := render.first_goal(each.before)) is not None]
        if not goals:
            raise UsageError("no transitions to take a vocabulary from")
        reader = Reader(problems, rarity(goals), prefixes)
        examples = [(each.theorem, found) for each in transitions if (found := reader.example(each)) is not None]
        vocabulary = Vocabulary(examples, ALWAYS)
        fitting = fitting or FitConfig()
        return cls(reader, TacticModel(vocabulary, seed, fitting.dropout), width, fitting)

    def learnt(self, transitions: Sequence[Transition], seed: int) -> SmallProver:
        """This prover after supervised training on tactics; those that it has no words for are left out."""
        model = deepcopy(self.model)
        examples = [example for _, example in self._examples(transitions)]
        if not examples:
            raise UsageError(f"nothing to learn: none of {len(transitions)} tactics can be said in templates")
        fit(model, examples, self.fitting, seed)
        return SmallProver(self.reader, model, self.width, self.fitting)

    def perplexities(self, transitions: Sequence[Transition]) -> list[float]:
        """exp(minus the mean log-probability of a choice) of each tactic; infinite for what can not be said."""
        found = dict(self._examples(transitions))
        logs = dict(zip(found, self.model.logprobs(list(found.values())), strict=True)) if found else {}
        return [
            math.exp(-logs[at] / (1 + len(found[at].names))) if at in logs else math.inf
            for at in range(len(transitions))
        ]

    def propose(self, problem: Problem, prefix: int = 0) -> Propose:
        """The likeliest tactics in states of `problem`."""

        async def ask(goals: Goals) -> list[Proposal]:
            if not goals.here:
                return []
            seen = self.reader.view(problem, goals.here[0], prefix)
            return [Proposal(*each) for each in self.model.propose(seen, self.width)]

        return ask

    def _examples(self, transitions: Sequence[Transition]) -> list[tuple[int, Example]]:
        found = ((number, self.reader.example(each)) for number, each in enumerate(transitions))
        return [(number, e) for number, e in found if e is not None and usable(e, self.model.vocabulary)]


def rarity(goals: Sequence[Goal]) -> dict[str, float]:
    """How much each word of goals says: the log of how many goals there are for each that has it, as in BM25."""
    seen = Counter(word for goal in goals for word in set(words(goal.conclusion)))
    return {word: math.log(1 + (len(goals) - count + 0.5) / (count + 0.5)) for word, count in seen.items()}

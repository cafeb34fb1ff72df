"""Best-first search over tactics, as BFS-Prover scores it, with proofs shared between searches. Calls no model by itself.

Xin et al., "BFS-Prover" (arXiv 2502.03438): the node with the highest sum of log-probabilities over depth ** alpha is expanded
next, so that alpha > 0 forgives long proofs.  What is proposed, and how likely, is the caller's (`Propose`); a proof counts
only if `validate` says so, since a session can be fooled.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from agentgym.envs.prover.backend import Goals, Problem, Prover, State, StepResult
from agentgym.errors import ToolError
from agentgym.seeds import content_hash


class Proposal(NamedTuple):
    """A tactic with its log-probability (natural log), which is a sum over `tokens` tokens, reasoning included."""

    tactic: str
    logprob: float
    tokens: int = 1


class Edge(NamedTuple):
    """A tactic that a search tried: where, which, and what came of it."""

    before: Goals
    proposal: Proposal
    result: StepResult


Propose = Callable[[Goals], Awaitable[Sequence[Proposal]]]
"""From what is left to prove to tactics."""
Validate = Callable[[tuple[str, ...]], Awaitable[bool]]
Watch = Callable[[Edge], None]
Steps = tuple[str, ...]


def score(log_probability: float, depth: int, alpha: float) -> float:
    """A node's place in the queue: the sum of log-probabilities on its path over depth ** alpha; higher is sooner."""
    return log_probability / depth**alpha if depth else 0.0


@dataclass(slots=True, frozen=True)
class SearchConfig:
    """`alpha`: 2.0 in BFS-Prover-V2's run script, 0 in its code. `parallel`: nodes expanded at once, each on a prover.

    `edge`: what a tactic adds to its path's sum, the "mean" over its tokens as in BFS-Prover, or the "sum".
    The budget: `expansions`, `tactics` and the prover's processor seconds `cpu_s`, whichever is used up first.
    """

    alpha: float = 2.0
    edge: Literal["mean", "sum"] = "mean"
    expansions: int = 100
    tactics: int | None = None
    cpu_s: float | None = None
    tactic_s: float = 10.0
    parallel: int = 1


@dataclass(slots=True)
class Found:
    """What a search came to. `proof`, all steps from the theorem on, is None if there is none within the budget.

    `cpu_s`: the processor time of the tactics, not of going back to where they are tried. `tokens`: all that were
    generated, for tactics that were never tried, too.
    """

    proof: Steps | None
    expansions: int = 0
    tactics: int = 0
    refused: int = 0
    cpu_s: float = 0.0
    tokens: int = 0


class ProofCache:
    """Ends of proofs by what was left to prove; shared by all searches of a process. Holds only what was validated."""

    def __init__(self) -> None:
        self._ends: dict[str, Steps] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def end(self, problem: Problem, goals: Goals) -> Steps | None:
        """Steps that finished a proof from here."""
        return self._ends.get(self._key(problem, goals))

    def add(self, problem: Problem, passed: Sequence[Goals], proof: Steps) -> None:
        """Keep a validated proof, `passed[n]` being what was left after its first n steps."""
        for number, goals in enumerate(passed[: len(proof)]):
            self._ends.setdefault(self._key(problem, goals), proof[number:])

    @staticmethod
    def _key(problem: Problem, goals: Goals) -> str:
        return content_hash([problem.module, problem.header, goals.hash])


@dataclass(order=True, slots=True)
class _Node:
    rank: float
    number: int
    state: State = field(compare=False)
    log_probability: float = field(compare=False)


async def best_first(
    prover: Prover,
    problem: Problem,
    propose: Propose,
    validate: Validate,
    config: SearchConfig | None = None,
    cache: ProofCache | None = None,
    watch: Watch | None = None,
) -> Found:
    """Search for a proof of `problem`; `watch` is told of every tactic.

    Raises what the prover and `propose` raise, but for tactics that are none.
    """
    start = (await prover.open(problem)).state
    return await search_from(prover, problem, start, propose, validate, config, cache, watch)


async def search_from(
    prover: Prover,
    problem: Problem,
    start: State,
    propose: Propose,
    validate: Validate,
    config: SearchConfig | None = None,
    cache: ProofCache | None = None,
    watch: Watch | None = None,
) -> Found:
    """Search on from a state that `prover` has been in, until none of the goals that are focused there is left."""
    cache = ProofCache() if cache is None else cache
    search = _Search(prover, problem, start, propose, validate, config or SearchConfig(), cache, watch)
    await search.see(start, 0.0)
    await search.run()
    return search.found


class _Search:
    def __init__(
        self,
        prover: Prover,
        problem: Problem,
        start: State,
        propose: Propose,
        validate: Validate,
        config: SearchConfig,
        cache: ProofCache,
        watch: Watch | None,
    ) -> None:
        self._prover, self._problem, self._config, self._cache = prover, problem, config, cache
        self._propose, self._validate, self._watch = propose, validate, watch
        self._depth = len(start.path)
        left = prover.goals(start)
        self._outside = left.count - len(left.here)
        self._queue: list[_Node] = []
        self._seen: set[str] = set()
        self._number = 0
        self.found = Found(None)

    async def run(self) -> None:
        """Expand the best nodes, `parallel` at a time, until there is a proof, no node or no budget."""
        while not self._over() and self._queue:
            room = min(self._config.parallel, self._config.expansions - self.found.expansions, len(self._queue))
            if room <= 0:
                return
            best = [heapq.heappop(self._queue) for _ in range(room)]
            self.found.expansions += room
            try:
                async with asyncio.TaskGroup() as group:
                    for node in best:
                        group.create_task(self._expand(node))
            except* Exception as failed:
                raise failed.exceptions[0] from None  # what callers know by its type

    async def see(self, state: State, log_probability: float) -> None:
        """A state was reached: queue it if what is left is new, and finish it if somebody has before."""
        goals = self._prover.goals(state)
        if goals.hash in self._seen:
            return
        self._seen.add(goals.hash)
        rank = -score(log_probability, len(state.path) - self._depth, self._config.alpha)
        self._number += 1
        heapq.heappush(self._queue, _Node(rank, self._number, state, log_probability))
        if (end := self._cache.end(self._problem, goals)) is not None:
            await self._follow(state, end)

    async def _expand(self, node: _Node) -> None:
        proposals = await self._propose(self._prover.goals(node.state))
        self.found.tokens += sum(each.tokens for each in proposals)
        tried = set()
        for proposal in proposals:
            if proposal.tactic in tried:
                continue
            tried.add(proposal.tactic)
            if self._over():
                return
            reached = await self._step(node.state, proposal)
            if reached is not None:
                gain = proposal.logprob / (proposal.tokens if self._config.edge == "mean" else 1)
                await self.see(reached, node.log_probability + gain)

    async def _follow(self, state: State, end: Steps) -> None:
        for step in end:
            reached = await self._step(state, Proposal(step, 0.0))
            if reached is None:
                return
            state = reached

    async def _step(self, state: State, proposal: Proposal) -> State | None:
        """The state after a tactic, if it leaves something to prove; a proof that holds is kept."""
        self.found.tactics += 1
        try:
            result = await self._prover.run_tac(state, proposal.tactic, self._config.tactic_s)
        except ToolError:
            return None
        self.found.cpu_s += result.cpu_s
        if self._watch is not None:
            self._watch(Edge(self._prover.goals(state), proposal, result))
        if result.kind == "given_up" or not result.ok:
            return None
        if result.goals.count > self._outside or result.goals.here:
            return result.state
        await self._finish(result.state.path)
        return None

    def _over(self) -> bool:
        """Whether there is a proof, or no budget for another tactic."""
        limits = ((self.found.tactics, self._config.tactics), (self.found.cpu_s, self._config.cpu_s))
        return self.found.proof is not None or any(most is not None and used >= most for used, most in limits)

    async def _finish(self, proof: Steps) -> None:
        if not await self._validate(proof):
            self.found.refused += 1
        elif self.found.proof is None:
            self.found.proof = proof
            passed = [self._prover.goals(State(proof[:number])) for number in range(self._depth, len(proof))]
            self._cache.add(self._problem, passed, proof[self._depth :])

"""Many theorems searched with one policy: what each came to, and its tactics as transitions. The verdict is the usual one.

What is not the policy's doing (a box that died, a verdict that could not be reached, an endpoint that failed) is tried
again once and then `failed`: it counts neither for nor against.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning.transitions import Searched, Transition
from agentgym.envs.prover.search import Edge, Found, ProofCache, Propose, SearchConfig, best_first
from agentgym.envs.prover.verify import verify
from agentgym.errors import PolicyError, SandboxError, TaskError, VerifierError
from agentgym.tasks import Task

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_TOGETHER = 12
ProposeFor = Callable[[Problem], Propose]


@dataclass(slots=True)
class Attempt:
    """One theorem's search. `failed`: why there is none, through no fault of the policy."""

    theorem: str
    found: Found
    transitions: list[Transition] = field(default_factory=list)
    failed: str = ""

    @property
    def proved(self) -> bool:
        return self.found.proof is not None

    def within(self, tactics: int) -> bool:
        """Whether a budget of so many tactics would have been enough."""
        return self.proved and self.found.tactics <= tactics

    def searched(self, round: int) -> Searched:
        found = self.found
        return Searched(theorem=self.theorem, round=round, proof=found.proof, tactics=found.tactics, cpu_s=found.cpu_s)


@dataclass(slots=True)
class Arena:
    """Where searches are run: `concurrency` theorems at once, each on the provers of `pool`."""

    runtime: Runtime
    pool: Pool
    config: SearchConfig
    concurrency: int = 2
    cache: ProofCache | None = None

    async def search(
        self,
        tasks: Iterable[Task],
        propose_for: ProposeFor,
        round: int = 0,
        alter: Callable[[Problem], Problem] | None = None,
    ) -> AsyncIterator[Attempt]:
        """An attempt at every task, as they end. Neighbours of a file go to one worker, in its order, for they share headers.

        `alter` makes another problem of each, such as one with a longer header.
        """
        waiting = iter(_neighbours(tasks))
        done: asyncio.Queue[Attempt | BaseException | None] = asyncio.Queue()

        async def work() -> None:
            try:
                for group in waiting:
                    for task in group:
                        done.put_nowait(await self._attempt(task, propose_for, round, alter))
            except BaseException as error:
                done.put_nowait(error)
                raise
            done.put_nowait(None)

        workers = [asyncio.create_task(work()) for _ in range(self.concurrency)]
        try:
            idle = 0
            while idle < len(workers):
                ended = await done.get()
                if isinstance(ended, BaseException):
                    raise ended
                idle += ended is None
                if ended is not None:
                    yield ended
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _attempt(
        self, task: Task, propose_for: ProposeFor, round: int, alter: Callable[[Problem], Problem] | None
    ) -> Attempt:
        problem = problem_of(task)
        problem = alter(problem) if alter else problem
        for last in (False, True):
            try:
                return await self._once(task, problem, propose_for(problem), round)
            except (SandboxError, VerifierError, PolicyError) as error:
                if last:
                    return Attempt(task.id, Found(None), failed=str(error))
            except TaskError as error:  # an altered header that Coq refuses
                return Attempt(task.id, Found(None), failed=str(error))
        raise AssertionError("unreachable")

    async def _once(self, task: Task, problem: Problem, propose: Propose, round: int) -> Attempt:
        edges: list[Edge] = []

        async def validate(proof: tuple[str, ...]) -> bool:
            return (await verify(problem, proof, task.secret["assumptions"], self.runtime)).ok

        prover = CoqProver(self.pool)
        found = await best_first(prover, problem, propose, validate, self.config, self.cache, edges.append)
        return Attempt(task.id, found, list(transitions(task.id, edges, found.proof, round)))


def _neighbours(tasks: Iterable[Task]) -> list[list[Task]]:
    """Tasks of the same file in its order, a few at a time."""
    files: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda each: len(each.payload["header"])):
        files.setdefault(task.payload["module"], []).append(task)
    return [file[start : start + _TOGETHER] for file in files.values() for start in range(0, len(file), _TOGETHER)]


def transitions(theorem: str, edges: Sequence[Edge], proof: Sequence[str] | None, round: int) -> Iterable[Transition]:
    """What a search tried, with what lies on the path of its verified proof marked as proved."""
    for before, proposal, result in edges:
        path = result.state.path
        proved = proof is not None and result.ok and path == tuple(proof[: len(path)])
        yield Transition(
            theorem=theorem,
            before=render.goals(before),
            tactic=proposal.tactic,
            after=render.goals(result.goals) if result.ok else "",
            kind=result.kind,
            logprob=proposal.logprob,
            tokens=proposal.tokens,
            round=round,
            proved=proved,
        )

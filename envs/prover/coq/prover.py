"""Coq as a Prover: states are paths of steps, and going to one is back to the nearest ancestor and replay from there.

coqidetop forgets a branch that it leaves, so siblings are replayed; a step of the library's own proofs takes a
millisecond, which is why that is good enough.
"""

from __future__ import annotations

from functools import lru_cache
from time import monotonic

from agentgym.envs.prover.backend import Goals, Problem, Prover, State, StepResult
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.session import Died, Session, TimedOut
from agentgym.envs.prover.sentences import as_step, split
from agentgym.errors import SandboxError, TaskError, ToolError

PROOF = "Proof."
QUERIES = ("Search", "SearchPattern", "SearchRewrite", "Check", "Print", "About", "Locate")


class CoqProver(Prover):
    """One problem at a time, on whichever session of `pool` is nearest: it holds one only while a call runs.

    So any number of provers share the processes, forks wait for nobody, and where there are enough processes each
    prover finds its own again as it left it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._start: tuple[str, ...] = ()
        self._module = ""
        self._goals: dict[State, Goals] = {}

    async def open(self, problem: Problem) -> StepResult:
        began = monotonic()
        self._module, self._goals = problem.module, {}
        self._start = (*header_texts(problem.header), problem.statement, PROOF)
        session = await self._reach(State())
        try:
            goals = await session.go(self._start)
        finally:
            await self._pool.give_back(session)
        self._goals[State()] = goals
        if goals.kind != "open":
            raise TaskError(f"{problem.name}: its statement leaves nothing to prove")
        return StepResult("open", State(), goals, wall_s=monotonic() - began)

    async def run_tac(self, state: State, text: str, limit_s: float) -> StepResult:
        step, before, began = as_step(text), self.goals(state), monotonic()
        session = await self._reach(state)
        try:
            run = await session.run(step, limit_s)
        except TimedOut as error:
            return StepResult("timeout", state, before, str(error), limit_s, monotonic() - began)
        except Died as error:
            return StepResult("crash", state, before, str(error), 0.0, monotonic() - began)
        finally:
            await self._pool.give_back(session)
        wall = monotonic() - began
        if run.goals is None:
            return StepResult("error", state, before, run.message, run.cpu_s, wall)
        after = State((*state.path, step))
        self._goals[after] = run.goals
        return StepResult(run.goals.kind, after, run.goals, run.message, run.cpu_s, wall)

    async def query(self, state: State, text: str, limit_s: float) -> str:
        question, _ = as_query(text), self.goals(state)
        session = await self._reach(state)
        try:
            return await session.query(question, limit_s)
        except (TimedOut, Died) as error:
            raise ToolError(str(error)) from None
        finally:
            await self._pool.give_back(session)

    def goals(self, state: State) -> Goals:
        if state not in self._goals:
            raise ToolError("no such state: it is not one that this prover has been in")
        return self._goals[state]

    def fork(self) -> CoqProver:
        branch = CoqProver(self._pool)
        branch._start, branch._module, branch._goals = self._start, self._module, dict(self._goals)
        return branch

    async def _reach(self, state: State) -> Session:
        """A live session that is in `state`; to be given back."""
        start, path = self._start, state.path
        for last in (False, True):
            session = await self._pool.lease(self._module, start, path)
            try:
                if session.common(start, path) == len(start) + len(path):
                    session.back_to(len(start) + len(path))
                else:
                    await session.go(start, path)
                return session
            except (TimedOut, Died) as error:
                await self._pool.give_back(session)
                if last:
                    raise SandboxError(f"the prover can not come back to where it was: {error}", "ambiguous") from None
            except BaseException:
                await self._pool.give_back(session)
                raise
        raise AssertionError("unreachable")


def as_query(text: str) -> str:
    """`text` if it is one question. Raises ToolError."""
    try:
        sentences = split(text)
    except ValueError as error:
        raise ToolError(f"not a whole sentence: {error}") from None
    if len(sentences) != 1 or sentences[0].text.split(None, 1)[0].rstrip(".") not in QUERIES:
        raise ToolError(f"a query is one sentence that begins with {', '.join(QUERIES)}")
    return sentences[0].text


@lru_cache(maxsize=512)
def header_texts(header: str) -> tuple[str, ...]:
    """The sentences of a header. Raises TaskError if it ends in the middle of one."""
    try:
        return tuple(sentence.text for sentence in split(header))
    except ValueError as error:
        raise TaskError(f"a header must be whole sentences: {error}") from None

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
    """One problem at a time on a session of `pool`, which is leased by `open` and given back by `close`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._session: Session | None = None
        self._start: tuple[str, ...] = ()
        self._module = ""
        self._goals: dict[State, Goals] = {}

    async def open(self, problem: Problem) -> StepResult:
        began = monotonic()
        if self._session is not None and self._module != problem.module:
            await self.close()
        self._module = problem.module
        self._start = (*header_texts(problem.header), problem.statement, PROOF)
        goals = await self._go(State())
        self._goals = {State(): goals}
        if goals.kind != "open":
            raise TaskError(f"{problem.name}: its statement leaves nothing to prove")
        return StepResult("open", State(), goals, wall_s=monotonic() - began)

    async def run_tac(self, state: State, text: str, limit_s: float) -> StepResult:
        step, began = as_step(text), monotonic()
        before = self._known(state)
        await self._go(state)
        assert self._session is not None
        try:
            run = await self._session.run(step, limit_s)
        except TimedOut as error:
            return StepResult("timeout", state, before, str(error), limit_s, monotonic() - began)
        except Died as error:
            return StepResult("crash", state, before, str(error), 0.0, monotonic() - began)
        wall = monotonic() - began
        if run.goals is None:
            return StepResult("error", state, before, run.message, run.cpu_s, wall)
        after = State((*state.path, step))
        self._goals[after] = run.goals
        return StepResult(run.goals.kind, after, run.goals, run.message, run.cpu_s, wall)

    async def query(self, state: State, text: str, limit_s: float) -> str:
        question = as_query(text)
        await self._go(state)
        assert self._session is not None
        try:
            return await self._session.query(question, limit_s)
        except (TimedOut, Died) as error:
            raise ToolError(str(error)) from None

    def goals(self, state: State) -> Goals:
        """What was left in a state that has been seen."""
        return self._known(state)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._pool.give_back(session)

    async def _go(self, state: State) -> Goals:
        """Have a live session that is in `state`."""
        texts = (*self._start, *state.path)
        for _ in range(2):
            if self._session is not None and self._session.dead:
                await self.close()
            if self._session is None:
                self._session = await self._pool.lease(self._module, texts)
            elif len(self._session.texts) == len(texts) and self._session.common(texts) == len(texts):
                return self._known(state)
            try:
                return await self._session.go(texts)
            except (TimedOut, Died) as error:
                why = error
                await self.close()
        raise SandboxError(f"the prover can not come back to where it was: {why}", "ambiguous")

    def _known(self, state: State) -> Goals:
        if state not in self._goals:
            raise ToolError("no such state: it is not one that this prover has been in")
        return self._goals[state]


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

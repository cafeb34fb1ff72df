"""Lean 4 as a Prover: proof states of a REPL never change, so any state is run from by its number; a new REPL replays."""

from __future__ import annotations

import re
from time import monotonic

from lean_interact.interface import CommandResponse, LeanError, ProofStepResponse

from agentgym.envs.prover.backend import Goal, Goals, Kind, Problem, Prover, State, StepResult
from agentgym.envs.prover.lean.pool import LeanPool
from agentgym.envs.prover.lean.repl import Died, Repl
from agentgym.envs.prover.lean.steps import as_tactic
from agentgym.errors import SandboxError, TaskError, ToolError

OPEN_S = 600.0
_CASE = re.compile(r"case .*\n")


class LeanProver(Prover):
    """One problem at a time, on whichever REPL of `pool` knows it; it holds one only while a call runs."""

    def __init__(self, pool: LeanPool) -> None:
        self._pool = pool
        self._problem = Problem("", "", "", "")
        self._goals: dict[State, Goals] = {}

    async def open(self, problem: Problem) -> StepResult:
        began = monotonic()
        self._problem, self._goals = problem, {}
        repl = await self._pool.lease((problem, ()), problem.header)
        try:
            await self._start(repl)
        except Died as error:
            raise TaskError(f"{problem.name}: Lean does not come through its header: {error}") from None
        finally:
            await self._pool.give_back(repl)
        return StepResult("open", State(), self._goals[State()], wall_s=monotonic() - began)

    async def run_tac(self, state: State, text: str, limit_s: float) -> StepResult:
        step, before, began = as_tactic(text), self.goals(state), monotonic()
        repl = await self._pool.lease((self._problem, state.path), (self._problem, ()), self._problem.header)
        try:
            number = await self._reach(repl, state)
            try:
                answer = await repl.tactic(step, number, limit_s)
            except Died as error:
                kind: Kind = "timeout" if error.timed_out else "crash"
                return StepResult(kind, state, before, str(error), repl.used_s, monotonic() - began)
            after = State((*state.path, step))
            return self._result(repl, state, after, answer, monotonic() - began)
        finally:
            await self._pool.give_back(repl)

    async def query(self, state: State, text: str, limit_s: float) -> str:
        raise ToolError("Lean takes no questions here: a tactic such as `exact?` searches, and its error tells types")

    def goals(self, state: State) -> Goals:
        if state not in self._goals:
            raise ToolError("no such state: it is not one that this prover has been in")
        return self._goals[state]

    def fork(self) -> LeanProver:
        branch = LeanProver(self._pool)
        branch._problem, branch._goals = self._problem, dict(self._goals)
        return branch

    def _result(
        self, repl: Repl, state: State, after: State, answer: ProofStepResponse | LeanError, wall: float
    ) -> StepResult:
        before = self._goals[state]
        if isinstance(answer, LeanError) or answer.has_errors():
            return StepResult("error", state, before, _complaint(answer), repl.used_s, wall)
        notes = "\n".join(message.data for message in answer.messages)
        goals = Goals(tuple(map(goal_of, answer.goals)))
        if answer.sorries or (not answer.goals and answer.proof_status != "Completed"):
            goals = Goals(goals.here, given_up=(Goal((), answer.proof_status),))
        repl.known[self._problem, after.path] = answer.proof_state
        self._goals[after] = goals
        return StepResult(goals.kind, after, goals, notes, repl.used_s, wall)

    async def _start(self, repl: Repl) -> None:
        """Open the problem in a REPL: its header once, then its statement, whose `sorry` is where the proof begins."""
        problem = self._problem
        env = await header(repl, problem)
        answer = await repl.command(f"{problem.statement} sorry", env, OPEN_S)
        if isinstance(answer, LeanError) or answer.has_errors():
            raise TaskError(f"{problem.name}: Lean refuses its statement: {_complaint(answer)}")
        if len(answer.sorries) != 1 or answer.sorries[0].proof_state is None:
            raise TaskError(f"{problem.name}: its statement must leave one thing to prove, not {len(answer.sorries)}")
        repl.known[problem, ()] = answer.sorries[0].proof_state
        self._goals[State()] = Goals((goal_of(answer.sorries[0].goal),))

    async def _reach(self, repl: Repl, state: State) -> int:
        """The number of `state` in this REPL, which may have to go through all of its steps."""
        try:
            if (self._problem, ()) not in repl.known:
                await self._start(repl)
            for count in range(1, len(state.path) + 1):
                if (self._problem, state.path[:count]) in repl.known:
                    continue
                number = repl.known[self._problem, state.path[: count - 1]]
                answer = await repl.tactic(state.path[count - 1], number, OPEN_S)
                if isinstance(answer, LeanError) or answer.has_errors():
                    raise SandboxError(f"a step that went through does no more: {_complaint(answer)}", "ambiguous")
                repl.known[self._problem, state.path[:count]] = answer.proof_state
        except Died as error:
            raise SandboxError(f"Lean can not come back to where it was: {error}", "ambiguous") from None
        return repl.known[self._problem, state.path]


async def header(repl: Repl, problem: Problem) -> int | None:
    """The environment after the problem's header; None if it has none. Raises Died, and TaskError with Lean's own words."""
    if not problem.header.strip():
        return None
    if problem.header not in repl.known:
        answer = await repl.command(problem.header, None, OPEN_S)
        if isinstance(answer, LeanError) or answer.has_errors():
            raise TaskError(f"{problem.name}: Lean refuses its header: {_complaint(answer)}")
        repl.known[problem.header] = answer.env
    return repl.known[problem.header]


def goal_of(text: str) -> Goal:
    """A goal as Lean prints it: maybe "case ...", lines "names : type", further lines of one indented, then "⊢ conclusion"."""
    context, _, conclusion = _CASE.sub("", text, count=1).rpartition("⊢ ")
    hypotheses: list[str] = []
    for line in context.splitlines():
        if line.startswith(" ") and hypotheses:
            hypotheses[-1] += "\n" + line
        elif line.strip():
            hypotheses.append(line)
    return Goal(tuple(hypotheses), conclusion.strip())


def _complaint(answer: CommandResponse | ProofStepResponse | LeanError) -> str:
    if isinstance(answer, LeanError):
        return answer.message
    return "\n".join(message.data for message in answer.messages if message.severity == "error")

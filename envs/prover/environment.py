"""One theorem, proved step by step against a real proof assistant. What is proved is not decided here but by the verifier.

A message without calls is a tactic, so that step-provers need no tools.  States are values: going back and forking are
free, and what the world hashes to is what is left to prove.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from agentgym.environment import Environment
from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Problem, Prover, State, StepResult
from agentgym.envs.prover.config import ProverConfig
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.errors import TaskError, ToolError
from agentgym.tasks import Task
from agentgym.tools import tool
from agentgym.types import Reply

PROVED, GAVE_UP = "proved", "gave_up"
RULES = (
    "Prove it in Coq, one sentence a step: a tactic with its full stop, a bullet, or a brace. "
    "The proof is checked again from the beginning when no goals are left; axioms, commands and admit count for nothing."
)


class ProverEnvironment(Environment[ProverConfig]):
    """A task's payload is a Problem; its secret holds "steps" (a proof) and "assumptions" (what a proof may rest on)."""

    rules: ClassVar[str] = RULES

    @classmethod
    async def open_shared(cls, config: ProverConfig, runtime: Any) -> Any:
        """The processes that episodes share."""
        return await Pool.open(runtime, config.provers, config.memory_bytes, config.keep_bytes)

    def new_prover(self) -> Prover:
        """A prover of this episode's own, on the shared processes."""
        return CoqProver(self.shared)

    async def on_reset(self) -> str:
        self._prover = self.new_prover()
        problem = problem_of(self.task)
        self._state = (await self._prover.open(problem)).state
        shown = problem.header[-self.config.context_chars :] if self.config.context_chars else ""
        before = f"The end of what comes before, in {problem.module}:\n\n{shown.strip()}\n\n" if shown.strip() else ""
        turns = "" if self.spec.limits.turns is None else f"\n\nSteps remaining: {self.spec.limits.turns}"
        return f"{before}The theorem:\n\n{problem.statement}\n\n{render.goals(self._here())}\n\n{self.rules}{turns}"

    async def on_text(self, text: str) -> str:
        """A message is a tactic."""
        try:
            said = (await self._run(text)).content
            return said if isinstance(said, str) else ""
        except ToolError as error:
            self.score("errors", 1.0)
            return f"error: {error}"

    @tool
    async def tactic(self, step: str) -> Reply:
        """Run one sentence of the proof and show what is left to prove.

        Args:
            step: A tactic with its full stop, a bullet (- + *), or a brace.
        """
        try:
            return await self._run(step)
        except ToolError:
            self.score("errors", 1.0)
            raise

    @tool
    async def back(self, steps: int = 1) -> Reply:
        """Take back the last steps of the proof.

        Args:
            steps: How many; more than there are goes to the start.
        """
        if steps < 1:
            raise ToolError(f"steps must be at least 1, not {steps}")
        path = self._state.path
        self._state = State(path[: max(len(path) - steps, 0)])
        return Reply(f"{len(self._state.path)} steps are left.\n\n{render.goals(self._here())}", bool(path))

    @tool
    async def query(self, command: str) -> Reply:
        """Ask Coq: one sentence that begins with Search, Check, Print, About or Locate. Changes nothing.

        Args:
            command: For example: Search (_ + 0).
        """
        said = await self._prover.query(self._state, command, self.config.tactic_s)
        return Reply(said or "Coq says nothing.", bool(said))

    @tool
    def give_up(self) -> str:
        """End without a proof."""
        self.end(GAVE_UP)
        return "Given up."

    async def state(self) -> Any:
        return {"task": self.task.id, "left": self._here().hash}

    async def save(self) -> Any:
        return self._prover.fork(), self._state

    async def load(self, native: Any) -> None:
        prover, self._state = native
        self._prover = prover.fork()

    async def artefacts(self) -> dict[str, str]:
        return {"proof": json.dumps(list(self._state.path)), "options": self.config.model_dump_json()}

    async def _run(self, step: str) -> Reply:
        before = self._here()
        result = await self._prover.run_tac(self._state, step, self.config.tactic_s)
        self.score("tactics", 1.0)
        if result.kind in ("open", "finished"):
            self._state = result.state
            if result.goals.count < before.count:
                self.score("closed", 1.0)
            if result.kind == "finished":
                self.end(PROVED, answer=" ".join(result.state.path))
            notes = f"{result.message}\n\n" if result.message else ""
            return Reply(notes + render.goals(result.goals), result.goals.hash != before.hash)
        self.score("errors", 1.0)
        return Reply(_refusal(result), False)

    def _here(self) -> Any:
        return self._prover.goals(self._state)


def problem_of(task: Task) -> Problem:
    """The problem that a task is. Raises TaskError if its payload is none."""
    try:
        problem = Problem(**task.payload)
    except TypeError as error:
        raise TaskError(f"task {task.id}: its payload is no problem: {error}") from None
    if bad := [field for field, value in task.payload.items() if not isinstance(value, str)]:
        raise TaskError(f"task {task.id}: {', '.join(bad)} must be text")
    return problem


def _refusal(result: StepResult) -> str:
    if result.kind == "given_up":
        return "error: a goal that is given up is not proved; the step was taken back"
    return f"{result.kind}: {result.message or 'Coq gives no reason'}"

"""A problem in Lean 4, proved tactic by tactic; otherwise what `prover/coq-stdlib-v0` is. Needs the user's own Lean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, cast

from agentgym.envs.prover.backend import Prover
from agentgym.envs.prover.environment import PROVED, ProverEnvironment, problem_of
from agentgym.envs.prover.lean.config import LeanConfig
from agentgym.envs.prover.lean.files import load
from agentgym.envs.prover.lean.pool import LeanPool
from agentgym.tasks import TaskList, TaskSet
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class LeanEnvironment(ProverEnvironment):
    """As its parent. The pool's REPLs are shared by all episodes of a runtime."""

    rules: ClassVar[str] = (
        "Prove it in Lean 4, one tactic a step; further lines of a tactic are indented. "
        "The proof is checked again from the beginning when no goals are left; sorry, axioms and commands count for nothing."
    )

    @classmethod
    async def open_shared(cls, config: Any, runtime: Any) -> Any:
        return await pool_of(config, runtime)

    def new_prover(self) -> Prover:
        from agentgym.envs.prover.lean.prover import LeanProver

        return LeanProver(self.shared)


def lean_tasks(config: LeanConfig, runtime: Runtime) -> TaskSet:
    """The problems of the option `tasks`; none without it. Raises TaskError where it holds none."""
    return load(config.tasks) if config.tasks is not None else TaskList([], version="files")


class LeanVerifier(Verifier):
    """Scores as `ProverVerifier` does, in a fresh REPL of the same Lean."""

    name: ClassVar[str] = "lean"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        from agentgym.envs.prover.lean.verify import verify

        if evidence.end != PROVED:
            return [Score("proved", 0.0, reason=f"not proved: the episode ended with {evidence.end or 'nothing'}")]
        steps = json.loads(evidence.artefacts["proof"])
        pool = await pool_of(LeanConfig.model_validate_json(evidence.artefacts["options"]), runtime)
        task = evidence.task
        verdict = await verify(problem_of(task), steps, task.secret["assumptions"], pool)
        lengths = (("sentences", len(steps)), ("characters", sum(map(len, steps))))
        proved = Score("proved", float(verdict.ok), reason=verdict.why)
        return [proved, *(Score(name, float(value)) for name, value in lengths)]


async def pool_of(config: LeanConfig, runtime: Runtime) -> LeanPool:
    """The one pool that a runtime has for a Lean."""
    key = ("prover-lean", config.repl, config.project, config.lake)
    return cast(LeanPool, await runtime.resource(key, lambda: LeanPool.open(runtime, config)))

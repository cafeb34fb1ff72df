"""The verdict on an episode: the steps as text, checked again in a fresh process and box (`verify.py`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.prover.config import ProverConfig
from agentgym.envs.prover.environment import PROVED, problem_of
from agentgym.envs.prover.verify import verify
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class ProverVerifier(Verifier):
    """Scores "proved", and the length of what was proved in "sentences" and "characters"."""

    name: ClassVar[str] = "coq"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        if evidence.end != PROVED:
            return [Score("proved", 0.0, reason=f"not proved: the episode ended with {evidence.end or 'nothing'}")]
        task = evidence.task
        steps = json.loads(evidence.artefacts["proof"])
        options = ProverConfig.model_validate_json(evidence.artefacts.get("options", "{}"))
        verdict = await verify(problem_of(task), steps, task.secret["assumptions"], runtime, coqchk=options.coqchk)
        proved = Score("proved", float(verdict.ok), reason=verdict.why)
        return [
            proved,
            Score("sentences", float(len(steps))),
            Score("characters", float(sum(map(len, steps)))),
        ]

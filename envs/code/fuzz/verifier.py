"""The verdict on inputs: run in a fresh box under the tracer. They are data: nothing that the agent wrote is executed.

R1-Fuzz (arXiv 2509.20384) rewards the distance to the target; its constants are not known to us.  Ours: an input d steps
away is worth c = 1 / (1 + d); what pays is how much of the way from the seeds' c to 1 the best input has made.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import ClassVar

from agentgym.envs.code.environment import NOTES
from agentgym.envs.code.fuzz.parsers import encoded, run_job
from agentgym.envs.code.fuzz.tasks import INPUTS
from agentgym.envs.code.verifier import Bench, CodeVerifier, Judgement
from agentgym.errors import TaskError, VerifierError
from agentgym.tasks import Task
from agentgym.types import Score
from agentgym.verifier import Evidence

BAD_ENDINGS = ("hangs", "dies")


class FuzzVerifier(CodeVerifier):
    """Scores "outcome" in [0, 1], "solved" (1: the target was reached) and metrics.

    over_seeds: pay only for what is nearer than the seeds; else 1 / (1 + d) itself.
    penalty: taken from the outcome for the share of inputs that are invalid, that is, hang or kill the interpreter; never
    below 0.  An input that the parser rejects is valid: many targets are in its rejections.
    """

    name: ClassVar[str] = "fuzz"

    def __init__(self, *, over_seeds: bool = True, penalty: float = 0.1) -> None:
        self._over_seeds, self._penalty = over_seeds, penalty

    async def judge(self, task: Task, files: Mapping[str, str], bench: Bench) -> Judgement:
        raw = [base64.b64decode(data) for data in json.loads(files[INPUTS])]
        if not raw:
            return Judgement(0.0, 0.0, "no inputs were submitted")
        payload = task.payload
        seeds = list(payload["files"].values())
        job = {"parser": payload["parser"], "target": payload["target"], "inputs": encoded([*seeds, *raw])}
        told = await run_job(bench.open_box, job)
        if told["sha256"] != payload["sha256"]:
            raise TaskError(f"task {task.id} was made for another Python than that of this sandbox's boxes")
        if any(result["ending"] == "starved" for result in told["inputs"]):
            raise VerifierError("the machine is too busy to run the inputs")
        shown, given = told["inputs"][: len(seeds)], told["inputs"][len(seeds) :]
        distances = [result["distance"] for result in given if result["distance"] is not None]
        best = min(distances, default=None)
        bad = sum(result["ending"] in BAD_ENDINGS for result in given)
        if best == 0:
            return Judgement(1.0, 1.0, "the target was reached", {"distance": 0.0, "invalid": float(bad)})
        before = max((closeness(result["distance"]) for result in shown), default=0.0) if self._over_seeds else 0.0
        gain = max(0.0, (closeness(best) - before) / (1.0 - before)) - self._penalty * bad / len(raw)
        reason = "no input comes near" if best is None else f"the best input stays {best} steps away"
        metrics = {"invalid": float(bad), **({} if best is None else {"distance": float(best)})}
        return Judgement(max(0.0, gain), 0.0, f"{reason}; {bad} of {len(raw)} are invalid", metrics)

    async def verify(self, evidence: Evidence, runtime: object) -> list[Score]:
        """The base's verdict, with what was left out added to the reason."""
        scores = await super().verify(evidence, runtime)  # type: ignore[arg-type]
        if notes := json.loads(evidence.artefacts.get(NOTES) or "[]"):
            scores[0].reason += f"; left out: {'; '.join(notes)[:500]}"
        return scores


def closeness(distance: int | None) -> float:
    return 0.0 if distance is None else 1.0 / (1.0 + distance)

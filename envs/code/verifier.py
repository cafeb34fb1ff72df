"""The verdict on submitted files: who submitted what, which boxes are fresh, whose fault a death is. Never what is right.

A subclass decides in `judge`.  The rule for all: no expected answer enters a box in which submitted code runs. The
driver hands in inputs, takes out outputs and compares them here, so there is nothing in the box worth finding.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.code.boxes import require
from agentgym.envs.code.environment import NOTES
from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.runner import OpenBox
from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, Sandbox, SandboxLimits, SandboxSpec
from agentgym.tasks import Task
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

LIMITS = SandboxLimits(memory_bytes=512 << 20, processes=64, disk_bytes=64 << 20, file_bytes=32 << 20)
"""Of a verifier's box, unless a subclass says otherwise."""


@dataclass(slots=True)
class Judgement:
    """What a submission is worth: `outcome` pays (0 keeps every gate closed), `solved` is the success in [0, 1]."""

    outcome: float
    solved: float
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Bench:
    """Fresh boxes for one verdict, out of the runtime's places for verifiers."""

    open_box: OpenBox
    spec: SandboxSpec


class CodeVerifier(Verifier):
    """Scores "outcome", "solved" and metrics. The agent's not submitting, or not all files, is a scored 0.

    A box that dies under the submission and leaves open whose fault it was is tried once more, then the submission's.
    """

    programs: ClassVar[Mapping[str, str]] = {}
    limits: ClassVar[SandboxLimits] = LIMITS

    @abstractmethod
    async def judge(self, task: Task, files: Mapping[str, str], bench: Bench) -> Judgement:
        """Judge `files` (path: text, all of the task's submit paths).

        What the submission does in a box is a Judgement; raise VerifierError only for what is not its doing.
        """

    async def ground(self, task: Task, runtime: Runtime) -> SandboxSpec:
        """What the boxes for `task` stand on. Raises UsageError, saying what to install, if it lacks a program."""
        return await require(self.programs, runtime)

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        judgement = await self._judged(evidence, runtime)
        return [
            Score("outcome", judgement.outcome, reason=judgement.reason),
            Score("solved", judgement.solved, reason=judgement.reason),
            *(Score(name, value) for name, value in judgement.metrics.items()),
        ]

    async def _judged(self, evidence: Evidence, runtime: Runtime) -> Judgement:
        task, artefacts = evidence.task, evidence.artefacts
        if evidence.end != "submit":
            return Judgement(0.0, 0.0, f"not submitted: the episode ended with {evidence.end or 'nothing'}")
        wanted: Sequence[str] = task.payload["submit"]
        if any(path not in artefacts for path in wanted):
            notes = json.loads(artefacts.get(NOTES) or "[]")
            return Judgement(0.0, 0.0, f"not all was submitted: {'; '.join(notes) or 'missing'}")
        files = {path: artefacts[path] for path in wanted}
        spec = replace(await self.ground(task, runtime), limits=self.limits)
        bench = Bench(of_runtime(runtime), spec)
        for _ in range(2):
            try:
                return await self.judge(task, files, bench)
            except SandboxError as error:
                if error.fault != "ambiguous":
                    raise
                died = error
        return Judgement(0.0, 0.0, f"the box died under the submission, twice: {died}")


async def lay(box: Sandbox, files: Mapping[str, str]) -> None:
    """Write files into a verifier's box. Nothing of the submission may have run in it yet."""
    for path, text in files.items():
        await box.write(f"{WORKSPACE}/{path}", text.encode("utf-8", "surrogatepass"))


def trouble(result: ExecResult, timeout: float) -> str:
    """How a command that did not simply succeed ended, in words; "" if it did."""
    if result.timed_out:
        return f"it did not end within {timeout:g} s"
    if result.killed_by == "memory":
        return "it needed more memory than there is"
    if result.killed_by is not None:
        return f"it was killed ({result.killed_by})"
    if result.stdout_dropped:
        return "it wrote more output than is read"
    if result.exit_code:
        said = result.stderr[-300:].decode("utf-8", "replace").strip() or result.stdout[-300:].decode(
            "utf-8", "replace"
        )
        return f"exit code {result.exit_code}: {said.strip()}"
    return ""

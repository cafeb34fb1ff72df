"""The verdict on an instance: the patch over a pristine tree, the instance's own script in a fresh box, its log graded.

Graded as swebench 5.0.2 grades.  That grading believes the log, which the candidate's code can write to; so, unless told
otherwise, a patch is looked at first, as in the other repair environments, and a log that contradicts itself is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.swe import diffs
from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.patch_filter import filter_patch
from agentgym.envs.swe.rubric import OUTCOME_VALUES
from agentgym.envs.swe.shell import shown
from agentgym.envs.swe.swebench.bench import instance_of
from agentgym.envs.swe.swebench.eval_script import END, START, TESTBED, with_exit_code
from agentgym.envs.swe.swebench.grading import Report, grade
from agentgym.envs.swe.swebench.images import Prepared, prepare
from agentgym.envs.swe.swebench.instance import Instance
from agentgym.envs.swe.swebench.parsers import PARSERS
from agentgym.envs.swe.verifier import EMPTY, FAILS, NO_SUBMIT, RESOLVES, Candidate, Overlay, lay, likeness, signs_of
from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import ExecResult, Sandbox, SandboxLimits, SandboxSpec
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

LOG_BYTES = 4 << 20
_SCRIPT = "/tmp/eval.sh"


class BenchVerifier(Verifier):
    """Scores as `SweVerifier` does. `timeout` is for the script, in seconds; `memory_mb` and `disk_mb` are its box's.

    `strict=False` judges as swebench does, with no look at the patch and with all trust in the log.
    """

    name: ClassVar[str] = "swe-bench"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        values: Sequence[float] = OUTCOME_VALUES,
        *,
        timeout: float = 1800.0,
        strict: bool = True,
        memory_mb: int = 4096,
        disk_mb: int = 4096,
    ) -> None:
        self._values, self._timeout, self._strict = tuple(values), timeout, strict
        self._limits = SandboxLimits(memory_mb << 20, 512, disk_mb << 20, lifetime_s=timeout + 600)

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        task, instance = evidence.task, instance_of(evidence.task)
        prepared = await prepare(instance.image or "", runtime)
        candidate = await asyncio.to_thread(self._candidate, evidence, prepared)
        signs: list[str] = []
        if evidence.end != "submit":
            rank, why = NO_SUBMIT, f"not submitted: the episode ended with {evidence.end or 'nothing'}"
        elif not candidate.overlay:
            rank, why = EMPTY, "; ".join(["nothing was changed", *candidate.notes])
        elif self._strict and (signs := signs_of(candidate, prepared, task)):
            rank, why = EMPTY, f"the patch steers the test run: {', '.join(signs[:5])}"
        else:
            report = await self._tested(instance, prepared, candidate.overlay, runtime)
            rank, why = (RESOLVES if report.resolved else FAILS), "; ".join([*_reasons(report), *candidate.notes])
        scores = [
            Score("outcome", self._values[rank], reason=why),
            Score("resolved", float(rank == RESOLVES), reason=why),
            Score("class", float(rank)),
            Score("completion", float(rank > NO_SUBMIT)),
            Score("modification", float(rank > EMPTY)),
            Score("tampering", float(bool(signs))),
        ]
        return scores + await asyncio.to_thread(likeness, candidate, prepared, task)

    def _candidate(self, evidence: Evidence, prepared: Prepared) -> Candidate:
        candidate = Candidate(notes=list(json.loads(evidence.artefacts.get("notes") or "[]")))
        try:
            files = diffs.parse(evidence.artefacts.get("patch", ""))
            allowed = evidence.task.secret["files"] if self._strict else [file.path for file in files]
            filtered = filter_patch(files, prepared.listing.keys(), roots=(".", "src", "lib"), allowed=allowed)
            for file in filtered.files:
                lay(file, prepared, candidate)
        except diffs.PatchError as error:
            return Candidate(notes=[*candidate.notes, f"the patch does not apply: {error}"])
        if filtered.note:
            candidate.notes.append(filtered.note)
        return candidate

    async def _tested(self, instance: Instance, prepared: Prepared, overlay: Overlay, runtime: Runtime) -> Report:
        for _ in range(2):
            try:
                return await self._run(instance, prepared, overlay, runtime)
            except SandboxError as error:
                if error.fault != "ambiguous":
                    raise
                died = error
        return Report(why=f"the box died under the tests, twice: {died}")

    async def _run(self, instance: Instance, prepared: Prepared, overlay: Overlay, runtime: Runtime) -> Report:
        async with of_runtime(runtime)(SandboxSpec(prepared.image, prepared.tree, limits=self._limits)) as box:
            await _apply(overlay, prepared, box)
            await box.write(_SCRIPT, with_exit_code(instance.eval_script or "").encode("utf-8", "surrogatepass"))
            command = ["/bin/bash", "-c", f"exec /bin/bash {_SCRIPT} 2>&1"]
            done = await box.exec(
                command, cwd=TESTBED, env=prepared.env, timeout=self._timeout, max_output=LOG_BYTES
            )  # fmt: skip
        if why := _stopped(done, self._timeout):
            return Report(why=why)
        log = shown(done.stdout, done.stdout_dropped, LOG_BYTES)
        report = await asyncio.to_thread(grade, instance, "", log)
        if self._strict and report.resolved and (doubted := contradicted(instance, log)):
            return Report(why=f"the log says of {doubted[0]} both that it passed and that it did not")
        return report


def contradicted(instance: Instance, log: str) -> list[str]:
    """Expected tests of which one line of a log says that they passed and another that they did not.

    For logs that are read line by line, where the last line counts: the first one must agree with it.
    """
    read = PARSERS[instance.log_parser or ""]
    if instance.log_parser == "parse_log_django":
        return []
    between = log.replace("\r\n", "\n").split(START)[1].split(END)[0]
    last, first = read(between), read("\n".join(reversed(between.split("\n"))))
    passed = ("PASSED", "XFAIL")
    expected = [*instance.FAIL_TO_PASS, *instance.PASS_TO_PASS]
    return [id for id in expected if id in last and (last[id] in passed) != (first.get(id) in passed)]


async def _apply(overlay: Overlay, prepared: Prepared, box: Sandbox) -> None:
    for path, data in overlay.items():
        if data is None:
            await box.exec(["rm", "-f", "--", f"{TESTBED}/{path}"], cwd="/")
        else:
            mode = (prepared.tree / path).stat().st_mode & 0o777 if path in prepared.listing else 0o644
            await box.write(f"{TESTBED}/{path}", data, mode)


def _stopped(done: ExecResult, timeout: float) -> str:
    """Why the script did not come to its end; "" if it did."""
    if done.timed_out:
        return f"the tests took longer than {timeout:g} s"
    return "" if done.killed_by is None else f"the tests were killed: {done.killed_by}"


def _reasons(report: Report) -> list[str]:
    if report.resolved:
        return []
    if report.why:
        return [report.why]
    lists = (("not repaired", report.repaired.failure), ("broken", report.kept.failure))
    return [
        f"{word}: {', '.join(ids[:3])}{f' and {len(ids) - 3} more' if len(ids) > 3 else ''}"
        for word, ids in lists
        if ids
    ]

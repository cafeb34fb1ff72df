"""The verdict on a repair: the submitted patch, filtered, over a pristine tree, with the hidden tests, in a fresh box.

What the patch may touch is `patch_filter`'s business, what in it is a sign of foul play `tamper`'s, how the tests are
run and believed `grading`'s.  This file puts the four outcome classes on it: no submission, nothing changed, tests
fail, tests pass; and keeps verdicts that tests really gave in a cache by content.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from agentgym.envs.swe import diffs, grading, runner
from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.cache import Results, digest
from agentgym.envs.swe.materials import Materials, materials
from agentgym.envs.swe.patch_filter import filter_patch
from agentgym.envs.swe.rubric import OUTCOME_VALUES
from agentgym.envs.swe.similarity import line_similarity, patch_similarity
from agentgym.envs.swe.tamper import tampering
from agentgym.envs.swe.testdeps import modules
from agentgym.errors import SandboxError
from agentgym.tasks import Task
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

NO_SUBMIT, EMPTY, FAILS, RESOLVES = range(4)
Overlay = dict[str, bytes | None]


class Pristine(Protocol):
    """The tree that a patch is for."""

    @property
    def listing(self) -> Mapping[str, str]:
        """Its files by path."""

    def text(self, path: str) -> str | None:
        """A file's content; None if there is none."""


@dataclass(slots=True)
class Candidate:
    """A patch as it may be applied: `overlay` over the pristine tree, and `notes` on what could not be."""

    overlay: Overlay = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)


class SweVerifier(Verifier):
    """Scores "outcome" by class, "resolved" in {0, 1}, and metrics. `values` are the four classes' worth.

    `timeout` is for the tests, in seconds; `cache=False` runs them every time; `scan=False` leaves it to the tests alone
    to tell foul play.  A patch with signs of foul play is worth no more than an empty one, and is not run.
    """

    name: ClassVar[str] = "swe"
    version: ClassVar[str] = "3"

    def __init__(
        self,
        values: Sequence[float] = OUTCOME_VALUES,
        *,
        timeout: float = 120.0,
        cache: bool = True,
        scan: bool = True,
    ) -> None:
        self._values, self._timeout, self._cache, self._scan = tuple(values), timeout, cache, scan

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        task = evidence.task
        material = await materials(task, runtime)
        candidate = await asyncio.to_thread(_candidate, evidence, material)
        signs: list[str] = []
        if evidence.end != "submit":
            rank, why = NO_SUBMIT, f"not submitted: the episode ended with {evidence.end or 'nothing'}"
        elif not candidate.overlay:
            rank, why = EMPTY, "; ".join(["nothing was changed", *candidate.notes])
        elif self._scan and (signs := signs_of(candidate, material, task)):
            rank, why = EMPTY, f"the patch steers the test run: {', '.join(signs[:5])}"
        else:
            resolved, reasons = await self._tested(task, material, candidate.overlay, runtime)
            rank, why = (RESOLVES if resolved else FAILS), "; ".join([*reasons, *candidate.notes])
        scores = [
            Score("outcome", self._values[rank], reason=why),
            Score("resolved", float(rank == RESOLVES), reason=why),
            Score("class", float(rank)),
            Score("completion", float(rank > NO_SUBMIT)),
            Score("modification", float(rank > EMPTY)),
            Score("tampering", float(bool(signs))),
        ]
        return scores + await asyncio.to_thread(likeness, candidate, material, task)

    async def _tested(
        self, task: Task, material: Materials, overlay: Overlay, runtime: Runtime
    ) -> tuple[bool, list[str]]:
        """Whether the tests pass, and why not; from the cache if they have been run on this very content."""
        results = Results(runtime.cache / "verdicts")
        key = digest("verdict", self.version, str(self._timeout), *_identity(task, material), *_parts(overlay))
        if self._cache and (known := results.get(key)) is not None:
            return bool(known["resolved"]), list(known["reasons"])
        twins = await self._twins(task, material, runtime, results)
        for attempt in range(2):
            try:
                verdict = await grading.grade(
                    of_runtime(runtime), material.tree, material.suite, overlay, task.secret["repair"],
                    task.secret["keep"], twins, timeout=self._timeout,
                )  # fmt: skip
            except SandboxError as error:
                if error.fault != "ambiguous":
                    raise
                died = error
                continue
            starved = verdict.run.timed_out and verdict.run.cpu_s < self._timeout / 4
            if starved and attempt == 0:  # it waits for something, or the machine is too busy: nobody can tell
                continue
            if self._cache and not verdict.run.timed_out:
                results.put(key, {"resolved": verdict.resolved, "reasons": verdict.reasons})
            return verdict.resolved, verdict.reasons
        return False, [f"the box died under the tests, twice: {died}"]

    async def _twins(self, task: Task, material: Materials, runtime: Runtime, results: Results) -> list[str]:
        """The twins that a right solution fails: the task's own, or found by running the reference solution once."""
        if (given := task.secret.get("twins")) is not None:
            return list(given)
        key = digest("twins", *_identity(task, material))
        if (known := results.get(key)) is not None:
            return list(known)
        ids = grading.guarded(task.secret["repair"], task.secret["keep"])
        solution, _ = reference(task, material)
        found = await grading.find_twins(
            of_runtime(runtime), material.tree, material.suite, ids, solution, timeout=2 * self._timeout
        )
        results.put(key, found)
        return found


def reference(task: Task, material: Pristine) -> tuple[Overlay, dict[str, str]]:
    """The reference solution over the pristine tree, and its diffs by path."""
    candidate = Candidate()
    for file in diffs.parse(task.secret["oracle"]):
        lay(file, material, candidate)
    return candidate.overlay, candidate.bodies


def _candidate(evidence: Evidence, material: Materials) -> Candidate:
    candidate = Candidate(notes=list(json.loads(evidence.artefacts.get("notes") or "[]")))
    task = evidence.task
    try:
        filtered = filter_patch(
            diffs.parse(evidence.artefacts.get("patch", "")),
            material.listing.keys(),
            roots=(material.suite.import_root,),
            allowed=task.secret["files"],
            protected=modules(material.suite.deps),
        )
        for file in filtered.files:
            lay(file, material, candidate)
    except diffs.PatchError as error:
        return Candidate(notes=[*candidate.notes, f"the patch does not apply: {error}"])
    if filtered.note:
        candidate.notes.append(filtered.note)
    return candidate


def lay(file: diffs.FilePatch, material: Pristine, candidate: Candidate) -> None:
    """Apply one file's patch. Raises PatchError."""
    if file.path in candidate.overlay:
        raise diffs.PatchError(f"{file.path} is patched twice")
    clash = [path for path in candidate.overlay if path.startswith(f"{file.path}/") or file.path.startswith(f"{path}/")]
    before = material.text(file.path)
    if clash or (before is None and any(path.startswith(f"{file.path}/") for path in material.listing)):
        raise diffs.PatchError(f"{file.path} would be a file and a directory")
    if any(parent in material.listing for parent in _parents(file.path)):
        raise diffs.PatchError(f"{file.path} is below a file")
    after = diffs.apply(file, before)
    if after != before:
        candidate.overlay[file.path] = None if after is None else after.encode("utf-8", "surrogateescape")
        body = diffs.make(file.path, before, after).split("\n@@", 1)
        candidate.bodies[file.path] = "@@" + body[1] if len(body) > 1 else ""


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def signs_of(candidate: Candidate, material: Pristine, task: Task) -> list[str]:
    """What in the candidate's source is a sign of foul play. Not for a worker thread."""
    # Not to be run in a thread: CPython 3.11's ast counts its recursion for all threads together.
    solution, _ = reference(task, material)
    changed = {path: data for path, data in candidate.overlay.items() if data and path.endswith(".py")}
    before = {path: (material.text(path) or "").encode("utf-8", "surrogateescape") for path in changed}
    return tampering(before, changed, {path: data or b"" for path, data in solution.items()})


def likeness(candidate: Candidate, material: Pristine, task: Task) -> list[Score]:
    """The metrics that compare the candidate with the reference solution."""
    _, wanted = reference(task, material)
    alike = patch_similarity(candidate.bodies, wanted)
    why = "" if alike is not None else "too long to compare by characters"
    return [
        Score("similarity", alike, reason=why),
        Score("line_similarity", line_similarity(candidate.bodies, wanted)),
    ]


def _identity(task: Task, material: Materials) -> list[bytes | str]:
    """Everything but the candidate that a verdict depends on."""
    suite, secret = material.suite, task.secret
    what: list[Any] = [suite.targets, suite.import_root, suite.removed, secret["repair"], secret["keep"]]
    return [
        runner.VERSION,
        grading.VERSION,
        material.digest,
        suite.deps.name,
        json.dumps(what),
        secret["oracle"],
        *_parts(dict(suite.files)),
    ]


def _parts(overlay: Overlay) -> list[bytes | str]:
    return [part for path, data in sorted(overlay.items()) for part in (path, str(data is None), data or b"")]

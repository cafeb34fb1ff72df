"""Running what rules need to know: the tests on the solution, without it, and the verifier's own judgement of both.

Everything here runs in boxes without network; what a result means for a task is said in `rules`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentgym.envs.swe import diffs, grading
from agentgym.envs.swe.generate import rules
from agentgym.envs.swe.generate.pairs import Pair
from agentgym.envs.swe.generate.rules import Probe, Refused, refuse
from agentgym.envs.swe.generate.statements import used_by
from agentgym.envs.swe.patch_filter import filter_patch
from agentgym.envs.swe.release import ReleaseTask, ReleaseTrees
from agentgym.envs.swe.runner import OpenBox, Overlay, Suite, TestRun, run_tests
from agentgym.envs.swe.workspace import listing, listing_of
from agentgym.errors import SandboxError, VerifierError
from agentgym.sandboxes.sandbox import Sandbox, SandboxSpec

_VENDORED = """
import os
for folder, folders, names in os.walk("/"):
    if folder in ("/", "/usr"):
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", "workspace", "tmp", "share")]
    if os.path.basename(folder) in ("site-packages", "dist-packages", "_vendor", "vendor", "vendored", "extern"):
        print(*(os.path.join(folder, name) for name in folders + names), sep="\\n")
"""


@dataclass(slots=True)
class Solved:
    """What passes on a solution, twice (`judged` runs it once more, disguised); `left_out` has the rule against each other id.

    `targets` are the test modules that are collected; `missing` the modules that others want.
    """

    targets: tuple[str, ...]
    passing: tuple[str, ...]
    left_out: dict[str, str]
    cpu_s: float
    missing: list[str] = field(default_factory=list)


class Trials:
    """The runs. `timeout` is for one run of tests, in seconds."""

    def __init__(self, open_box: OpenBox, timeout: float = 90.0) -> None:
        self._open_box, self._timeout = open_box, timeout
        self._vendored: list[str] | None = None

    async def copies(self, names: set[str]) -> list[str]:
        """Where the box itself has a module of one of these names among its installed packages."""
        if self._vendored is None:
            async with self._open_box(SandboxSpec()) as box:
                done = await box.exec(["python3", "-I", "-S", "-c", _VENDORED], cwd="/", max_output=8 << 20)
            self._vendored = done.stdout.decode("utf-8", "replace").split("\n")
        return [path for path in self._vendored if path.rpartition("/")[2].removesuffix(".py") in names]

    async def first(self, tree: Path, suite: Suite, overlay: Overlay) -> TestRun:
        """One run on the solution that everything is watched in. Raises Refused.

        pytest runs nothing if a single module is not collected: such modules are left out then, and are `broken`.
        """
        seen: dict[str, str] = {}
        open_box, broken = _watched(self._open_box, seen), dict[str, str]()
        run = await run_tests(open_box, tree, suite, overlay, timeout=self._timeout)
        rest = tuple(path for path in suite.targets if path not in run.broken)
        if run.broken and not run.statuses and rest:
            broken = run.broken
            run = await run_tests(open_box, tree, replace(suite, targets=rest), overlay, timeout=self._timeout)
        expected = listing_of(tree)
        for path, content in {**dict.fromkeys(suite.removed), **overlay, **suite.files}.items():
            expected.pop(path, None)
            if content is not None and not path.endswith((".pyc", ".pyo")):
                expected[path] = hashlib.sha256(content).hexdigest()
        changed = (
            {path for path in expected.keys() | seen.keys() if expected.get(path) != seen.get(path)} if seen else ()
        )
        run.broken = broken | run.broken
        refuse(rules.SOLUTION, run, changed)
        return run

    async def solved(self, tree: Path, suite: Suite, overlay: Overlay, run: TestRun, pair: Pair) -> Solved:
        """The tests of `pair` that pass in `run`, once more, and where no program is found. Raises Refused."""
        targets = tuple(path for path in suite.targets if path not in run.broken)
        suite = replace(suite, targets=targets)
        again = await run_tests(self._open_box, tree, suite, overlay, timeout=self._timeout)
        refuse(rules.SOLUTION, again, ())
        bare = await run_tests(self._open_box, tree, suite, overlay, timeout=self._timeout, programs=False)
        found = Solved(targets, (), {}, run.cpu_s)
        twice, passed, keep = again.with_status("passed"), run.with_status("passed"), []
        alone = bare.with_status("passed")
        for id, status in sorted(run.statuses.items()):
            against = rules.why_left_out(id, run.messages.get(id, ""))
            if against is None and rules.reads_a_clock(used_by(pair, [id])):
                against = "measures-time"
            if against is None and id in passed and id in twice and id not in alone:
                against = "needs-a-program"
            if id in passed and id in twice and against is None:
                keep.append(id)
            elif status not in ("skipped", "xfailed"):
                found.left_out[id] = against or ("passes-at-times" if id in passed else "fails-on-the-solution")
        found.left_out |= dict.fromkeys(twice - run.statuses.keys(), "passes-at-times")
        found.passing = tuple(keep)
        return found

    async def without(self, tree: Path, suite: Suite, overlay: Overlay, passing: tuple[str, ...], pair: Pair) -> Probe:
        """A run of the tests of `pair` without the solution. Raises Refused."""
        run = await run_tests(self._open_box, tree, suite, overlay, timeout=self._timeout)
        failed = run.with_status("failed", "error")
        lost = tuple(id for id in passing if id not in run.statuses)
        failing = tuple(id for id in passing if id in failed)
        probe = Probe(run, passing, failing, lost, used_by(pair, failing))
        refuse(rules.WITHOUT, probe)
        return probe

    async def judged(self, task: ReleaseTask, trees: ReleaseTrees, deps: Path) -> None:
        """Have the verifier's own grading judge the oracle and the empty patch. Raises Refused."""
        suite = trees.suite(task, deps)
        patches = diffs.parse(trees.oracle(task))
        stripped = filter_patch(patches, listing_of(trees.base), (task.import_root,), task.source_files).stripped
        if stripped:
            raise Refused("oracle-is-stripped", f"{stripped[0][0]}: {stripped[0][1]}")
        solution: dict[str, bytes | None] = {}
        for patch in patches:
            after = diffs.apply(patch, _text(trees.base / patch.path))
            solution[patch.path] = None if after is None else after.encode("utf-8", "surrogateescape")
        ids = grading.guarded(task.FAIL_TO_PASS, task.PASS_TO_PASS)
        try:
            twins = await grading.find_twins(self._open_box, trees.base, suite, ids, solution, timeout=self._timeout)
        except VerifierError as error:
            raise Refused("oracle-fails", str(error).split("\n")[0][:300]) from None
        for overlay, name in ((solution, "oracle-fails"), ({}, "empty-patch-repairs")):
            verdict = await grading.grade(
                self._open_box, trees.base, suite, overlay, task.FAIL_TO_PASS, task.PASS_TO_PASS, twins,
                timeout=self._timeout,
            )  # fmt: skip
            kept = len(verdict.kept) == len(task.PASS_TO_PASS)
            right = verdict.resolved if overlay else (not verdict.repaired and kept and not verdict.faults)
            if not right:
                if verdict.run.timed_out and not overlay:
                    name = "hangs-without"
                raise Refused(name, "; ".join(verdict.reasons)[:300])


def _watched(open_box: OpenBox, seen: dict[str, str]) -> OpenBox:
    """The same boxes; what is in the workspace at the end goes to `seen`."""

    @asynccontextmanager
    async def opened(spec: SandboxSpec) -> AsyncIterator[Sandbox]:
        async with open_box(spec) as box:
            yield box
            with contextlib.suppress(SandboxError):  # a box that its tests broke: the run itself says so
                seen.update(await listing(box))

    return opened


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None

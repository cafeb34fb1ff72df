"""Proof that a bug is a task: the package's own tests pass without it and some of them fail with it. Cached by content.

A proof is keyed by everything it depends on (the package's hash, the edit, the test files, the test dependencies, the
runner's version), so it is never stale; a list of proofs comes with the package (`data/bug_proofs.json`) and saves
running what others have run.  Trusted code only is run here: no candidate of an agent.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from agentgym.envs.swe import grading, runner
from agentgym.envs.swe.cache import Results, cache_dir, digest
from agentgym.envs.swe.catalogue import Bug, BugPackage
from agentgym.envs.swe.rewrites import repairable
from agentgym.envs.swe.runner import OpenBox, Suite

SHIPPED = Path(__file__).parent / "data" / "bug_proofs.json"
MOST_FAILING = 25
"""A bug that breaks more tests than this is too plain to be a task."""
_UNSTABLE = re.compile(r"perf|timing|benchmark|speed|thread", re.I)
_LEAST_TIMEOUT = 10.0


@dataclass(slots=True, frozen=True)
class Baseline:
    """The tests of a pristine package that pass twice, once in disguise; their twins; and what a run costs."""

    passing: tuple[str, ...]
    twins: tuple[str, ...]
    cpu_s: float


@dataclass(slots=True, frozen=True)
class Proof:
    """`failing` pass without the bug and fail with it; `lost` do neither pass nor fail with it; `message` is of the
    first failing test."""

    failing: tuple[str, ...]
    lost: tuple[str, ...]
    message: str


class Prover:
    """Runs and remembers baselines and proofs. `deps` is the directory of `testdeps`."""

    def __init__(self, open_box: OpenBox, deps: Path, cache: Path | None = None) -> None:
        self._open_box, self._deps = open_box, deps
        self._results = Results((cache or cache_dir()) / "bugs")
        self._running: dict[str, asyncio.Future[Baseline]] = {}

    async def close(self) -> None:
        """Stop what still runs. Whoever waits for it gets a CancelledError."""
        for running in self._running.values():
            running.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def suite(self, package: BugPackage, tree: Path, targets: tuple[str, ...]) -> Suite:
        """What judges a bug: the test files, and every conftest, as the pristine tree has them."""
        paths = {*targets, *(p.relative_to(tree).as_posix() for p in tree.rglob("conftest.py"))}
        files = {path: (tree / path).read_bytes() for path in sorted(paths)}
        return Suite(targets, self._deps, package.import_root, files)

    async def baseline(self, bug: Bug) -> Baseline:
        """The baseline of the bug's test files. Raises VerifierError if the pristine package cannot be tested."""
        key = digest("baseline", grading.VERSION, *self._identity(bug))
        running = self._running.get(key)
        if running is None or (running.done() and (running.cancelled() or running.exception())):
            self._running[key] = running = asyncio.ensure_future(self._baseline(bug, key))
        return await asyncio.shield(running)

    async def _baseline(self, bug: Bug, key: str) -> Baseline:
        if (known := self._results.get(key)) is not None:
            return Baseline(tuple(known["passing"]), tuple(known["twins"]), known["cpu_s"])
        suite = self.suite(bug.package, bug.tree, bug.targets)
        stable = await grading.survey(self._open_box, bug.tree, suite)
        passing = tuple(id for id in stable.passing if not _UNSTABLE.search(id))
        kept = replace(stable, passing=passing, twins=tuple(t for t in stable.twins if not _UNSTABLE.search(t)))
        self._results.put(key, asdict(kept))
        return Baseline(kept.passing, kept.twins, kept.cpu_s)

    async def prove(self, bug: Bug) -> Proof | None:
        """The proof of a bug; None if it is no task: unnoticed, too plain, hanging, or not to be found by rewrites."""
        key = digest("proof", *self._identity(bug), bug.path, repr(bug.mutation))
        known = self._lookup(key)
        if known is None:
            proof = await self._prove(bug)
            known = asdict(proof) if proof else {"failing": [], "lost": [], "message": ""}
            self._results.put(key, known)
        if not known["failing"]:
            return None
        return Proof(tuple(known["failing"]), tuple(known["lost"]), known["message"])

    def proven(self, bug: Bug) -> bool:
        """Whether a proof of this very bug is at hand, so that `prove` costs nothing."""
        known = self._lookup(digest("proof", *self._identity(bug), bug.path, repr(bug.mutation)))
        return bool(known and known["failing"])

    def _lookup(self, key: str) -> Any | None:
        return _shipped().get("proofs", {}).get(key) or self._results.get(key)

    async def _prove(self, bug: Bug) -> Proof | None:
        if not repairable(bug.source, bug.mutation):
            return None
        before = await self.baseline(bug)
        suite = self.suite(bug.package, bug.tree, bug.targets)
        timeout = max(_LEAST_TIMEOUT, 8 * before.cpu_s)
        overlay = {bug.path: bug.broken.encode()}
        run = await runner.run_tests(self._open_box, bug.tree, suite, overlay, timeout=timeout)
        failed = run.with_status("failed", "error")
        failing = tuple(id for id in before.passing if id in failed)
        lost = tuple(id for id in before.passing if id not in failed and run.statuses.get(id) != "passed")
        bad = run.timed_out or run.faults or run.broken or not 0 < len(failing) <= MOST_FAILING
        if bad or len(failing) + len(lost) > len(before.passing) / 2:
            return None
        return Proof(failing, lost, run.messages.get(failing[0], ""))

    def _identity(self, bug: Bug) -> list[str]:
        package = bug.package
        return [runner.VERSION, package.sha256, package.import_root, self._deps.name, *bug.targets]

    def shippable(self, bug: Bug, proof: Proof) -> tuple[str, dict[str, Any]]:
        """A proof as an entry of the shipped list."""
        return digest("proof", *self._identity(bug), bug.path, repr(bug.mutation)), asdict(proof)


def hidden(proof: Proof) -> list[str]:
    """The test files that the agent must not see: those with a failing test."""
    return sorted({id.partition("::")[0] for id in proof.failing})


def pinned(split: str) -> list[str]:
    """The ids of a split whose proofs come with the package."""
    return list(_shipped().get("ids", {}).get(split, []))


@cache
def _shipped() -> dict[str, Any]:
    return dict(json.loads(SHIPPED.read_bytes())) if SHIPPED.is_file() else {}

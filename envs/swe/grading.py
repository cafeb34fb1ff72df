"""The verdict of the tests: which ids passed, and whether the run may be believed. Knows nothing of rewards.

A run counts only if it has no fault, if a canary that must fail failed and one that must pass passed, and if every
twin of a test (see `twins`) that fails on a right solution failed here too.  What stays open: code under test shares
a process with its tests, so a candidate that studies the tests' code objects at run time, tells the twins from the
tests and alters outcomes one by one would get by; `tamper` looks for the means that this takes.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentgym.envs.swe.cache import digest
from agentgym.envs.swe.runner import OpenBox, Overlay, Suite, TestRun, run_tests
from agentgym.envs.swe.twins import disguise
from agentgym.errors import VerifierError

_CANARY = """import unittest


class {group}(unittest.TestCase):
    def {method}(self):
        self.assertEqual({number}, {number} + 1)


def {bad}():
    assert {number} == {number} + 1


def {good}():
    assert {number} + 1 == {more}
"""
TWINS = 2
"""Twins of a test, at most."""
_EXTRA = 4
"""Tests beside those that must be repaired that get twins too."""


@dataclass(slots=True)
class Verdict:
    """`repaired` and `kept` are the ids that passed of those that should; `reasons` why the rest, or all, do not count.

    A run with `faults` proves nothing: then `repaired` and `kept` are empty.
    """

    repaired: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    resolved: bool = False
    faults: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    run: TestRun = field(default_factory=TestRun)


@dataclass(slots=True)
class _Disguised:
    """A run seen without its disguise: statuses by the tests' own ids, and those of twins by (id, number)."""

    run: TestRun
    statuses: dict[str, str]
    twins: dict[str, str]
    canaries: bool

    def forged(self, twin: str) -> bool:
        """Whether a test and its twin both passed. Where the test itself failed, the twin says nothing."""
        passed = self.statuses.get(twin.rpartition("#")[0]) == "passed"
        return passed and self.twins.get(twin) not in ("failed", "error")


@dataclass(slots=True, frozen=True)
class Survey:
    """`passing` passed twice, the second time in disguise; `twins` are those that failed; `cpu_s` is of the first run."""

    passing: tuple[str, ...]
    twins: tuple[str, ...]
    cpu_s: float


async def survey(
    open_box: OpenBox, tree: Path, suite: Suite, overlay: Overlay | None = None, *, timeout: float = 120.0
) -> Survey:
    """What tests a right solution (`tree` with `overlay`) passes, disguised too.

    Raises VerifierError if the suite cannot be run at all.
    """
    plain = await run_tests(open_box, tree, suite, overlay, timeout=timeout)
    ids = plain.with_status("passed")
    if plain.faults or plain.timed_out or plain.broken or not ids:
        what = [*plain.faults, *plain.broken.values()] or "no test passes in time"
        raise VerifierError(f"the package's own tests do not run: {what}\n{plain.log[-1500:]}")
    seen = await _run(open_box, tree, suite, sorted(ids), overlay, "survey", 3 * timeout)
    passing = tuple(sorted(id for id in ids if seen.statuses.get(id) == "passed"))
    twins = (twin for twin, status in seen.twins.items() if status in ("failed", "error"))
    return Survey(passing, tuple(sorted(t for t in twins if t.rpartition("#")[0] in passing)), plain.cpu_s)


async def find_twins(
    open_box: OpenBox, tree: Path, suite: Suite, ids: Iterable[str], overlay: Overlay | None = None, *,
    timeout: float = 60.0,
) -> list[str]:  # fmt: skip
    """Which twins of tests fail on a right solution (`tree` with `overlay`): give them to `grade`.

    Raises VerifierError if a test does not pass there under its new name or the run is at fault.
    """
    ids = sorted(ids)
    seen = await _run(open_box, tree, suite, ids, overlay, "find twins", timeout)
    wrong = [id for id in ids if seen.statuses.get(id) != "passed"]
    if seen.run.faults or seen.run.timed_out or not seen.canaries or wrong:
        what = seen.run.faults or wrong or "time is up, or a canary was wrong"
        raise VerifierError(f"the reference solution does not pass its own tests: {what}\n{seen.run.log[-1500:]}")
    return sorted(twin for twin, status in seen.twins.items() if status in ("failed", "error"))


def guarded(repair: Iterable[str], keep: Iterable[str]) -> list[str]:
    """The ids to find twins for: all that must be repaired and a few of the others."""
    repair, others = sorted(repair), sorted(keep)
    draw = random.Random(digest(*repair))
    return repair + draw.sample(others, min(_EXTRA, len(others)))


async def grade(
    open_box: OpenBox, tree: Path, suite: Suite, overlay: Overlay, repair: Collection[str], keep: Collection[str],
    twins: Collection[str], *, timeout: float = 60.0,
) -> Verdict:  # fmt: skip
    """Run the suite over `tree` with the candidate's `overlay` and judge it. One box, one pytest.

    `repair` must pass, `keep` must go on passing (an expected failure counts).  The same candidate always gets the
    same disguise.  Raises SandboxError or VerifierError only for what is not the candidate's doing.
    """
    seed = digest("grade", *(part for path, data in sorted(overlay.items()) for part in (path, data or b"")))
    named = {twin.rpartition("#")[0] for twin in twins} | set(repair)
    seen = await _run(open_box, tree, suite, sorted(named), overlay, seed, timeout)
    verdict = Verdict(run=seen.run, faults=list(seen.run.faults))
    if seen.run.timed_out:
        verdict.faults.append(f"the tests did not end within {timeout:g} s")
    elif not seen.run.faults and not seen.run.broken:
        if not seen.canaries:
            verdict.faults.append("a test that must fail was reported as passed, or the reverse")
        if passed := [twin for twin in twins if seen.forged(twin)]:
            verdict.faults.append(f"checks turned wrong passed like right ones: {', '.join(sorted(passed)[:5])}")
    if verdict.faults:
        verdict.reasons = list(verdict.faults)
        return verdict
    verdict.repaired = sorted(id for id in repair if seen.statuses.get(id) == "passed")
    verdict.kept = sorted(id for id in keep if seen.statuses.get(id) in ("passed", "xfailed", "xpassed"))
    verdict.resolved = len(verdict.repaired) == len(set(repair)) and len(verdict.kept) == len(set(keep))
    for words, wanted, got in (("still failing", repair, verdict.repaired), ("broken", keep, verdict.kept)):
        if missing := sorted(set(wanted) - set(got)):
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            verdict.reasons.append(f"{words}: {', '.join(missing[:5])}{more}")
    return verdict


async def _run(
    open_box: OpenBox, tree: Path, suite: Suite, ids: list[str], overlay: Overlay | None, seed: str, timeout: float
) -> _Disguised:
    draw = random.Random(seed)
    sources = {
        path: content for path in {id.partition("::")[0] for id in ids} if (content := _source(path, suite, tree))
    }
    disguised = disguise(sources, ids, seed, TWINS)
    canary, good, bad = _canary(draw)
    path = "/".join([*suite.targets[0].split("/")[:-1], f"test_{draw.getrandbits(32):08x}.py"])
    files = {**suite.files, **disguised.files, path: canary}
    run = await run_tests(
        open_box, tree, replace(suite, files=files, targets=(*suite.targets, path)), overlay, timeout=timeout,
        rewrite=False,
    )  # fmt: skip
    seen = _Disguised(run, {}, {}, canaries=run.statuses.get(f"{path}::{good}") == "passed")
    for name in bad:
        seen.canaries &= run.statuses.get(f"{path}::{name}") == "failed"
    for id, status in run.statuses.items():
        old, number = disguised.reveal(id)
        if number is None:
            seen.statuses[old] = status
        else:
            seen.twins[f"{old}#{number}"] = status
    return seen


def _source(path: str, suite: Suite, tree: Path) -> bytes | None:
    if path in suite.files:
        return suite.files[path]
    file = tree / path
    return file.read_bytes() if file.is_file() and path not in suite.removed else None


def _canary(draw: random.Random) -> tuple[bytes, str, list[str]]:
    """A test file with one test that must pass and two that must fail, all names drawn."""
    method, bad, good = (f"test_{draw.getrandbits(40):010x}" for _ in range(3))
    group, number = f"Test{draw.getrandbits(32):08x}", draw.randrange(10, 1000)
    text = _CANARY.format(group=group, method=method, bad=bad, good=good, number=number, more=number + 1)
    return text.encode(), good, [f"{group}::{method}", bad]

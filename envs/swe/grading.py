"""The verdict of the tests: which ids passed, and whether the run may be believed. Knows nothing of rewards.

A run counts only if it has no fault, if a canary that must fail failed and one that must pass passed, and if every
twin of a test (see `twins`) that fails on a right solution failed here too.  A test counts as passed only if its
stand-ins (see `blind`) met the values that it expects.  What stays open: code under test shares a process with its
tests, so where a test asks only yes or no, a candidate that tells twins from tests and alters outcomes one by one would
get by; `tamper` looks for the means that this takes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentgym.envs.swe.blind import StandIn, blind, decoded
from agentgym.envs.swe.cache import digest
from agentgym.envs.swe.runner import OpenBox, Overlay, Suite, TestRun, run_tests
from agentgym.envs.swe.twins import disguise, split_id
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
VERSION = "3"
"""Part of every key under which guards or verdicts are kept: raise it when a change here, in `blind` or in `twins` can
change them. Proofs of bugs do not depend on it."""
TWINS = 2
"""Twins of a test, at most."""
_TRIES = 8
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
    """A run seen without its disguise: statuses by the tests' own ids, those of twins by (id, number), what each
    stand-in met by (id, its number in the test's function)."""

    run: TestRun
    statuses: dict[str, str]
    twins: dict[str, str]
    stand_ins: list[StandIn]
    met: dict[str, list[bool]]
    canaries: bool

    def forged(self, guard: str) -> bool:
        """Whether a test and its twin both passed. Where the test itself failed, the twin says nothing."""
        passed = self.statuses.get(tested_by(guard)) == "passed"
        return passed and _is_twin(guard) and self.twins.get(guard) not in ("failed", "error")

    def wrong(self, guard: str) -> bool:
        """Whether a stand-in met nothing, or anything but what the test expects."""
        return not _is_twin(guard) and not all(self.met.get(guard) or [False])

    def unfit(self) -> set[tuple[str, int]]:
        """The stand-ins that do not work on a right solution: that meet nothing, or not what is expected.

        In a test that fails, those behind the first that meets nothing may be good: of them only its own kind counts.
        """
        failing = {_function(id) for id, status in self.statuses.items() if status != "passed"}
        met: dict[tuple[str, int], list[bool]] = {}
        for guard, seen in self.met.items():
            id, _, number = guard.rpartition("#=")
            met.setdefault((_function(id), int(number)), []).extend(seen)
        result, culprit = set(), dict[str, str]()
        for each in self.stand_ins:
            seen = met.get((each.test, each.number), [])
            if each.test in failing and not seen:
                if culprit.setdefault(each.test, each.kind) == each.kind:
                    result.add((each.test, each.number))
            elif not all(seen or [False]):
                result.add((each.test, each.number))
        broken = failing - {test for test, _ in result}
        return result | {(each.test, each.number) for each in self.stand_ins if each.test in broken}

    def guards(self) -> list[str]:
        """Twins that failed and stand-ins that met what they should: what a right solution shows."""
        failed = [twin for twin, status in self.twins.items() if status in ("failed", "error")]
        return sorted([*failed, *(guard for guard, met in self.met.items() if all(met))])


@dataclass(slots=True, frozen=True)
class Survey:
    """`passing` passed twice, the second time in disguise; `twins` are their guards; `cpu_s` is of the first run."""

    passing: tuple[str, ...]
    twins: tuple[str, ...]
    cpu_s: float


async def survey(open_box: OpenBox, tree: Path, suite: Suite, *, timeout: float = 120.0) -> Survey:
    """What tests a right solution passes, disguised too. Raises VerifierError if the suite cannot be run at all."""
    plain = await run_tests(open_box, tree, suite, timeout=timeout)
    ids = plain.with_status("passed")
    if plain.faults or plain.timed_out or plain.broken or not ids:
        what = [*plain.faults, *plain.broken.values()] or "no test passes in time"
        raise VerifierError(f"the package's own tests do not run: {what}\n{plain.log[-1500:]}")
    seen = await _fitting(open_box, tree, suite, sorted(ids), None, "survey", 3 * timeout)
    passing = tuple(sorted(id for id in ids if seen.statuses.get(id) == "passed"))
    return Survey(passing, tuple(guard for guard in seen.guards() if tested_by(guard) in passing), plain.cpu_s)


async def find_twins(
    open_box: OpenBox, tree: Path, suite: Suite, ids: Iterable[str], overlay: Overlay | None = None, *,
    timeout: float = 60.0,
) -> list[str]:  # fmt: skip
    """The guards of tests: twins that fail on a right solution (`tree` with `overlay`), and stand-ins that meet there
    what they stand for. Give them to `grade`.

    Raises VerifierError if a test does not pass there under its new name or the run is at fault.
    """
    ids = sorted(ids)
    seen = await _fitting(open_box, tree, suite, ids, overlay, "find twins", timeout)
    wrong = [id for id in ids if seen.statuses.get(id) != "passed"]
    if seen.run.faults or seen.run.timed_out or not seen.canaries or wrong:
        what = seen.run.faults or wrong or "time is up, or a canary was wrong"
        raise VerifierError(f"the reference solution does not pass its own tests: {what}\n{seen.run.log[-1500:]}")
    return seen.guards()


async def _fitting(
    open_box: OpenBox, tree: Path, suite: Suite, ids: list[str], overlay: Overlay | None, seed: str, timeout: float
) -> _Disguised:
    """The run of a right solution with every stand-in that its tests bear."""
    unfit: set[tuple[str, int]] = set()
    for _ in range(_TRIES):
        seen = await _run(open_box, tree, suite, ids, overlay, seed, timeout, _all_but(frozenset(unfit)))
        if not (more := seen.unfit()):
            return seen
        unfit |= more
    return await _run(open_box, tree, suite, ids, overlay, seed, timeout, lambda test, number: False)


def _all_but(unfit: frozenset[tuple[str, int]]) -> Callable[[str, int], bool]:
    return lambda test, number: (test, number) not in unfit


def tested_by(guard: str) -> str:
    """The id of the test that a guard belongs to."""
    return guard.rpartition("#")[0]


def _function(id: str) -> str:
    """The test function of an id: the id without its parameter."""
    return "::".join(split_id(id)[:2])


def _is_twin(guard: str) -> bool:
    return not guard.rpartition("#")[2].startswith("=")


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
    named = {tested_by(guard) for guard in twins} | set(repair)
    blind_at = {(_function(tested_by(g)), int(g.rpartition("#=")[2])) for g in twins if not _is_twin(g)}
    seen = await _run(
        open_box, tree, suite, sorted(named), overlay, seed, timeout, lambda *stand_in: stand_in in blind_at
    )
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
    for guard in twins:
        if seen.wrong(guard) and seen.statuses.get(tested_by(guard)) == "passed":
            seen.statuses[tested_by(guard)] = "failed"
    verdict.repaired = sorted(id for id in repair if seen.statuses.get(id) == "passed")
    verdict.kept = sorted(id for id in keep if seen.statuses.get(id) in ("passed", "xfailed", "xpassed"))
    verdict.resolved = len(verdict.repaired) == len(set(repair)) and len(verdict.kept) == len(set(keep))
    for words, wanted, got in (("still failing", repair, verdict.repaired), ("broken", keep, verdict.kept)):
        if missing := sorted(set(wanted) - set(got)):
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            verdict.reasons.append(f"{words}: {', '.join(missing[:5])}{more}")
    return verdict


async def _run(
    open_box: OpenBox, tree: Path, suite: Suite, ids: list[str], overlay: Overlay | None, seed: str, timeout: float,
    chosen: Callable[[str, int], bool],
) -> _Disguised:  # fmt: skip
    draw = random.Random(seed)
    sources = {
        path: content for path in {id.partition("::")[0] for id in ids} if (content := _source(path, suite, tree))
    }
    blinder = f"_{digest('stand-in', seed)[:10]}"  # not drawn: `disguise` draws from the same seed
    blinded, stand_ins = blind(sources, ids, blinder, chosen)
    disguised = disguise(blinded, ids, seed, TWINS, blinder)
    canary, good, bad = _canary(draw)
    path = "/".join([*suite.targets[0].split("/")[:-1], f"test_{draw.getrandbits(32):08x}.py"])
    files = {**suite.files, **disguised.files, path: canary}
    disguised_suite = replace(
        suite, files=files, targets=(*suite.targets, path), stand_in=blinder,
        stand_ins=tuple(each.kind for each in stand_ins),
    )  # fmt: skip
    run = await run_tests(open_box, tree, disguised_suite, overlay, timeout=timeout, rewrite=False)
    seen = _Disguised(run, {}, {}, stand_ins, {}, canaries=run.statuses.get(f"{path}::{good}") == "passed")
    for name in bad:
        seen.canaries &= run.statuses.get(f"{path}::{name}") == "failed"
    for id, status in run.statuses.items():
        old, number = disguised.reveal(id)
        if number is None:
            seen.statuses[old] = status
        else:
            seen.twins[f"{old}#{number}"] = status
    for id, place, record in run.seen:
        old, number = disguised.reveal(id)
        if number is None and 0 <= place < len(stand_ins):
            guard = f"{old}#={stand_ins[place].number}"
            seen.met.setdefault(guard, []).append(stand_ins[place].agrees(decoded(record)))
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

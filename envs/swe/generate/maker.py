"""From a list of packages to tasks: the order of things. Each step's work is elsewhere, each finding is journalled.

For a package: its versions, pairs of neighbours from the newest on; for a pair: the tests on the fix version, then one
run for each hunk put back, then the release as a whole; what is left is judged by the verifier's own grading.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from agentgym.envs.swe import release, runner
from agentgym.envs.swe.cache import digest
from agentgym.envs.swe.generate import index, rules, statements
from agentgym.envs.swe.generate.journal import Journal
from agentgym.envs.swe.generate.pairs import Pair, Sdist
from agentgym.envs.swe.generate.plan import Package
from agentgym.envs.swe.generate.report import Outcome
from agentgym.envs.swe.generate.rules import Refused, Split, refuse
from agentgym.envs.swe.generate.taskfile import TaskFile
from agentgym.envs.swe.generate.trials import Solved, Trials
from agentgym.envs.swe.hunks import Hunk, groups, hunks
from agentgym.envs.swe.packages import ChangedError, FetchError, fetch, pin
from agentgym.envs.swe.patch_filter import is_test
from agentgym.envs.swe.release import ReleaseTask
from agentgym.envs.swe.runner import Overlay, Suite
from agentgym.envs.swe.testdeps import test_deps
from agentgym.errors import TaskError

VERSION = "2"
"""Part of every key of the journal: raise it when a change of rules or trials can change a finding."""
PINS = Path(__file__).parent.parent / "data" / "release_requirements.json"
"""What tests may ask for beyond the common test dependencies: exact pins, by the module's name."""

_PER_PAIR = 5
_HUNKS = 16
_KEPT_IDS = 200
_SMALL, _MANY = 30, 5


@dataclass
class Maker:
    """Makes tasks and adds them to `file`; `outcomes` is what the report is made of."""

    file: TaskFile
    journal: Journal
    trials: Trials
    python: tuple[int, int]
    cache: Path | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    tell: Callable[[str], None] = print

    async def package(self, package: Package) -> None:
        """Everything of one package. Raises SandboxError or OSError if this machine fails; then run it again."""
        split = package.home
        if self.file.homes.setdefault(package.name, split) != split:
            raise TaskError(
                f"{package.name} is to be {split!r} but the task file has it in {self.file.homes[package.name]!r}"
            )
        try:
            found = await index.versions(package.name, package.since, package.until)
        except FetchError as error:
            self._note(package.name, package.name, "vanished", str(error))
            return
        ahead = {f"{package.name}__{base}__{fix}": (base, fix) for base, fix in pairwise(found)}
        for name, (base, fix) in list(reversed(ahead.items()))[: package.pairs]:  # the newest first
            # What this pair and those after it gave before does not count: a run that goes on decides as it did.
            enough = package.most - self.file.count(package.name, but=ahead)
            del ahead[name]
            if enough > 0:
                await self._pair(package, base, fix, enough)
            else:
                self._note(package.name, name, "enough", f"{package.most} tasks are enough")

    async def _pair(self, package: Package, base: str, fix: str, enough: int) -> None:
        name = f"{package.name}__{base}__{fix}"
        try:
            pair = Pair(package.name, await self._sdist(package.name, base), await self._sdist(package.name, fix))
            refuse(rules.PAIR, pair)
            pair, solved = await self._fixed(pair)
        except Refused as refused:
            self._note(package.name, name, refused.refusal.rule, refused.refusal.detail)
            return
        self.outcomes.append(Outcome(package.name, name, left_out=solved.left_out, usable=True))
        for split in self._splits(pair)[:_HUNKS]:
            if self.file.hunks_of(name) < min(enough, _PER_PAIR):
                await self._candidate(package, _hunk_id(split), partial(self._hunk, split, solved), str(split.hunks))
        made = self.file.hunks_of(name)
        if made != 1 and made < enough:  # one task out of a pair: most often it is the whole pair
            await self._candidate(package, pair.id, partial(self._whole, pair), "whole")

    async def _candidate(
        self, package: Package, id: str, make: Callable[[], Awaitable[dict[str, Any]]], content: str
    ) -> None:
        """Try one task, or remember what came of it."""
        if id in self.file.tasks:
            self._note(package.name, id, "already-there", "the file has it")
            return
        key = digest("candidate", VERSION, runner.VERSION, id, content, *self._hashes(id))
        known = self.journal.get(key)
        if known is None:
            try:
                known = {"task": await make()}
            except Refused as refused:
                known = {"refusal": asdict(refused.refusal)}
            self.journal.put(key, known)
        if "task" in known:
            self.file.add(known["task"], package.home)
            self.file.write()
            self._note(package.name, id, "", "")
        else:
            self._note(package.name, id, known["refusal"]["rule"], known["refusal"]["detail"])

    def _note(self, package: str, subject: str, rule: str, detail: str) -> None:
        self.outcomes.append(Outcome(package, subject, rule, detail))
        self.tell(f"{subject}: {f'refused, {rule}: {detail[:150]}' if rule else 'kept'}")

    def _hashes(self, id: str) -> list[str]:
        name, base, fix = id.split("__")[:3]
        return [str(self.journal.get(digest("sdist", name, version))) for version in (base, fix)]

    async def _sdist(self, name: str, version: str) -> Sdist:
        """A version's source distribution: the pinned one if a task or an earlier run names it. Raises Refused."""
        key = digest("sdist", name, version)
        known = self.file.pins(name).get(version) or self.journal.get(key)
        try:
            filename, sha256 = known or await pin(name, version, self.cache)
            tree = await fetch(name, version, sha256, filename, self.cache)
        except ChangedError as error:
            raise Refused("changed", str(error)) from None
        except FetchError as error:
            raise Refused("not-to-be-had", str(error)) from None
        except TaskError as error:
            raise Refused("unsafe-archive", str(error)) from None
        if self.journal.get(key) is None:
            self.journal.put(key, [filename, sha256])
        return Sdist(version, filename, sha256, tree)

    async def _fixed(self, pair: Pair) -> tuple[Pair, Solved]:
        """What passes on the fix version, with the pins that its tests turned out to need. Raises Refused."""
        key = digest("fixed", VERSION, runner.VERSION, pair.id, pair.base.sha256, pair.fix.sha256, PINS.read_text())
        if (known := self.journal.get(key)) is None:
            try:
                pair, solved = await self._with_pins(pair)
                known = {"requirements": pair.requirements, "solved": asdict(solved)}
            except Refused as refused:
                known = {"refusal": asdict(refused.refusal)}
            self.journal.put(key, known)
        if "refusal" in known:
            raise Refused(**known["refusal"])
        solved = Solved(**known["solved"] | {each: tuple(known["solved"][each]) for each in ("targets", "passing")})
        return replace(pair, requirements=tuple(known["requirements"])), solved

    async def _with_pins(self, pair: Pair) -> tuple[Pair, Solved]:
        pins: dict[str, str] = json.loads(PINS.read_text())
        copies = await self.trials.copies(pair.modules)
        while True:
            suite = await self._suite(pair)
            refuse(rules.PACKAGE, pair, suite.deps, copies)
            run, said, broken = None, "", None
            try:
                run = await self.trials.first(pair.fix.tree, suite, {})
                said = "\n".join(run.broken.values())
            except Refused as refused:
                broken, said = refused, refused.refusal.detail
            wanted = _missing(said, pins, pair)
            if wanted:
                pair = replace(pair, requirements=(*pair.requirements, *wanted))
            elif run is None:
                raise broken or Refused("nothing-run", "")
            else:
                return pair, await self.trials.solved(pair.fix.tree, suite, {}, run, pair)

    async def _suite(self, pair: Pair) -> Suite:
        deps = await test_deps(self.python, folder=self.cache, extra=pair.requirements)
        tests = {path: (pair.fix.tree / path).read_bytes() for path in pair.paths if is_test(path)}
        return Suite(tuple(pair.targets), deps, pair.import_root, tests)

    def _splits(self, pair: Pair) -> list[Split]:
        """The pair's hunks that change code, those of one function together; first those that its new tests name."""
        found: list[Split] = []
        for path in pair.sources:
            before, after = pair.text(pair.base, path), pair.text(pair.fix, path)
            if before is None or after is None:
                continue
            try:
                found += [Split(pair, group) for group in groups(path, before, after)]
            except (SyntaxError, ValueError):
                continue
        named = pair.named_by_tests
        return sorted(found, key=lambda split: -len(statements.names_around(pair, split.hunks) & named))

    async def _hunk(self, split: Split, solved: Solved) -> dict[str, Any]:
        """One fix of a release as a task. Raises Refused."""
        refuse(rules.HUNK, split)
        pair = split.pair
        suite = replace(await self._suite(pair), targets=solved.targets)
        overlay = {split.path: split.base.encode("utf-8", "surrogateescape")}
        probe = await self.trials.without(pair.fix.tree, suite, overlay, solved.passing, pair)
        said = statements.write(pair, split.hunks, probe.failing, probe.run.messages.get(probe.failing[0], ""))
        entry = _entry(pair, solved, probe.failing, probe.lost, [split.path], split.size, said)
        entry |= {"id": _hunk_id(split), "hunks": [hunk.model_dump(mode="json") for hunk in split.hunks]}
        return await self._judged(entry, suite.deps)

    async def _whole(self, pair: Pair) -> dict[str, Any]:
        """A release as one task. Raises Refused."""
        refuse(rules.WHOLE, pair)
        fixed = await self._suite(pair)
        old = (p.relative_to(pair.base.tree).as_posix() for p in pair.base.tree.rglob("*") if p.is_file())
        suite = replace(fixed, removed=tuple(sorted(path for path in old if is_test(path))))
        solution: Overlay = {
            path: (pair.fix.tree / path).read_bytes() if path in pair.paths else None for path in pair.sources
        }
        solved = await self.trials.solved(
            pair.base.tree, suite, solution, await self.trials.first(pair.base.tree, suite, solution), pair
        )
        suite = replace(suite, targets=solved.targets)
        probe = await self.trials.without(pair.base.tree, suite, {}, solved.passing, pair)
        changed = [hunk for path in pair.sources for hunk in _all_hunks(pair, path)]
        said = statements.write(pair, changed, probe.failing, probe.run.messages.get(probe.failing[0], ""))
        entry = _entry(pair, solved, probe.failing, probe.lost, pair.sources, pair.changed_lines, said)
        if len(self._splits(pair)) >= _MANY and len(probe.failing) >= _MANY:
            entry["difficulty"] = "multi-fix"
        return await self._judged(entry | {"id": pair.id}, suite.deps)

    async def _judged(self, entry: dict[str, Any], deps: Path) -> dict[str, Any]:
        task = ReleaseTask.model_validate(entry)
        await self.trials.judged(task, await release.trees(task, self.cache), deps)
        return entry


def _entry(
    pair: Pair, solved: Solved, failing: tuple[str, ...], lost: tuple[str, ...], sources: list[str], size: int,
    said: statements.Statement,
) -> dict[str, Any]:  # fmt: skip
    """A task's entry but for its id. Of very many tests those of the files that matter are kept."""
    kept = [id for id in solved.passing if id not in {*failing, *lost}]
    files = {id.partition("::")[0] for id in failing}
    targets = list(solved.targets)
    if len(kept) > _KEPT_IDS:
        targets = [path for path in targets if path in files]
        kept = sorted((id for id in kept if id.partition("::")[0] in files), key=digest)[:_KEPT_IDS]
    return {
        "id": "", "package": pair.package, "base_version": pair.base.version, "fix_version": pair.fix.version,
        "base_sdist": pair.base.filename, "base_sha256": pair.base.sha256,
        "fix_sdist": pair.fix.filename, "fix_sha256": pair.fix.sha256,
        "import_root": pair.import_root, "test_targets": targets, "source_files": sources,
        "requirements": list(pair.requirements), "oracle_changed_lines": size,
        "FAIL_TO_PASS": list(failing), "PASS_TO_PASS": sorted(kept),
        "unstable_ids": sorted(id for id, rule in solved.left_out.items() if rule in ("clock-in-id", "passes-at-times"))[:50],
        "statement": said.text, "statement_source": said.source, "statement_by": "template",
        "difficulty": "small" if size <= _SMALL and len(sources) == 1 else "medium",
        "cpu_s_per_run": round(solved.cpu_s, 1),
    }  # fmt: skip


def _hunk_id(split: Split) -> str:
    return f"{split.pair.id}__{digest(*(hunk.sha256 for hunk in split.hunks))[:8]}"


def _all_hunks(pair: Pair, path: str) -> list[Hunk]:
    return hunks(path, pair.text(pair.base, path) or "", pair.text(pair.fix, path) or "")


def _missing(said: str, pins: dict[str, str], pair: Pair) -> list[str]:
    """Pins of modules that a run did not find and that are not asked for yet."""
    names = {name.split(".")[0] for name in re.findall(r"No module named '([\w.]+)'", said)}
    return sorted({pins[name] for name in names if name in pins and pins[name] not in pair.requirements})


async def make(maker: Maker, packages: list[Package], jobs: int = 1) -> None:
    """All packages, `jobs` at once. The first error of this machine ends it; what was found out is kept."""
    waiting = list(packages)

    async def work() -> None:
        while waiting:
            await maker.package(waiting.pop(0))

    workers = [asyncio.ensure_future(work()) for _ in range(jobs)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

"""One-line bugs as tasks: a seeded stream of proven ones, and all that an environment and a verifier need of each.

The pieces are elsewhere: which bugs there are (`catalogue`), that tests notice them (`proving`), what is said about
them (`issue`).  Nothing here knows of rewards, tools or the step API.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agentgym.envs.swe import diffs, issue
from agentgym.envs.swe.cache import cache_dir, digest, publish
from agentgym.envs.swe.catalogue import Bug, Catalogue
from agentgym.envs.swe.packages import copy_tree, replace_file
from agentgym.envs.swe.proving import Proof, Prover, hidden, pinned
from agentgym.envs.swe.runner import Suite
from agentgym.errors import TaskError

_AHEAD = 2


@dataclass(frozen=True)
class BugTask:
    """A proven bug. `repair` fails until it is repaired, `keep` passes before and after; `twins` are for `grading`."""

    bug: Bug
    proof: Proof
    repair: tuple[str, ...]
    keep: tuple[str, ...]
    twins: tuple[str, ...]
    suite: Suite

    @property
    def id(self) -> str:
        return self.bug.id

    @cached_property
    def hidden(self) -> list[str]:
        """The test files that the agent must not see."""
        return hidden(self.proof)

    @cached_property
    def oracle(self) -> str:
        """The repair as a diff of the broken tree."""
        return diffs.make(self.bug.path, self.bug.broken, self.bug.source)

    def statement(self, detail: issue.Detail = "message") -> str:
        bug, package = self.bug, self.bug.package
        return issue.statement(
            package.name,
            issue.module_at(bug.path, package.import_root),
            issue.function_at(bug.source, bug.mutation.line),
            self.repair[0].rpartition("::")[2].partition("[")[0],
            self.proof.message,
            len(self.repair),
            detail,
            self.id,
        )


class Bugs:
    """The bug tasks of a catalogue."""

    def __init__(self, catalogue: Catalogue, prover: Prover) -> None:
        self.catalogue, self.prover = catalogue, prover

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        """Every proven bug of a split, in the order of the seed.

        Without a seed: first those whose proof comes with the package, so that they cost nothing to find.
        """
        known = [id for id in pinned(split) if await self._known(id)] if seed is None else []
        for id in known:
            yield id
        async with contextlib.aclosing(self._proven(split, repr(seed))) as found:
            async for id in found:
                if id not in known:
                    yield id

    async def _known(self, id: str) -> bool:
        try:
            return self.prover.proven(await self.catalogue.get(id))
        except TaskError:
            return False  # a catalogue of other packages

    async def _proven(self, split: str, seed: str) -> AsyncGenerator[str, None]:
        """Packages in turns. Proves a few bugs ahead of the reader."""
        packages = [p for p in self.catalogue.packages.values() if p.split == split]
        random.Random(digest("packages", seed)).shuffle(packages)
        piles = [iter(await self.catalogue.stream(package, seed)) for package in packages]
        waiting: list[tuple[Bug, asyncio.Task[Proof | None]]] = []
        try:
            while piles or waiting:
                while piles and len(waiting) < _AHEAD + (os.cpu_count() or 1):
                    pile = piles.pop(0)
                    if (bug := next(pile, None)) is not None:
                        waiting.append((bug, asyncio.ensure_future(self.prover.prove(bug))))
                        piles.append(pile)
                if waiting:
                    bug, proving = waiting.pop(0)
                    if await proving is not None:
                        yield bug.id
        finally:
            for _, proving in waiting:
                proving.cancel()
            await asyncio.gather(*(proving for _, proving in waiting), return_exceptions=True)

    async def get(self, id: str) -> BugTask:
        """The task of a bug. Raises TaskError if there is no such bug or no test notices it."""
        bug = await self.catalogue.get(id)
        proof = await self.prover.prove(bug)
        if proof is None:
            raise TaskError(f"the bug {id!r} is no task: its package's tests do not single it out")
        before = await self.prover.baseline(bug)
        repair = [test for test in proof.failing if test in before.passing]
        if len(repair) != len(proof.failing):
            raise TaskError(f"the bug {id!r} was proven with other tests than those that pass here")
        rest = [test for test in before.passing if test not in {*proof.failing, *proof.lost}]
        known = set(repair) | set(random.Random(digest(id)).sample(rest, min(4, len(rest))))
        twins = tuple(twin for twin in before.twins if twin.rpartition("#")[0] in known)
        suite = self.prover.suite(bug.package, bug.tree, bug.targets)
        return BugTask(bug, proof, tuple(repair), tuple(rest), twins, suite)

    def tree(self, task: BugTask) -> Path:
        """The agent's tree: the package with the bug and without the hidden tests. Built once; never write to it."""
        key = digest("tree", task.bug.package.sha256, task.id, *task.hidden)
        target = (self.catalogue.cache or cache_dir()) / "bug-trees" / key
        return publish(target, lambda folder: _lay_out(task, folder))


def _lay_out(task: BugTask, folder: Path) -> None:
    origin, path = task.bug.tree, task.bug.path
    copy_tree(origin, folder, set(task.hidden))
    replace_file(folder / path, task.bug.broken.encode(), origin / path)

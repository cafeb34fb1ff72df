"""Tasks as the environment takes them, over the task files: what is public, what is secret, where it is looked up.

A task names its sources (package, version, hash) and never holds them; `materials.py` brings the trees.
Public: package, version, import root, statement.  Secret: the files that the reference solution changes, the solution
itself as a patch ("oracle"), the test ids, and for a one-line bug the line ("edit").
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import TYPE_CHECKING, Any

from agentgym.envs.swe import catalogue, release
from agentgym.envs.swe.bugs import Bugs, BugTask
from agentgym.envs.swe.config import SweConfig
from agentgym.envs.swe.materials import prover
from agentgym.errors import TaskError, UsageError
from agentgym.tasks import Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class ReleaseTasks(TaskSet):
    """Real releases: the base version's source against the fix version's tests. A task is fetched when it is got."""

    version = "2"

    def __init__(self, config: SweConfig, runtime: Runtime) -> None:
        if config.tools != "full":
            raise UsageError("swe/release: option 'tools': only 'full', releases are more than rewritten lines")
        self._cache = runtime.cache
        self._splits = release.load(config.tasks_file) if config.tasks_file else release.load()
        self._homes = {task.id: (split, task) for split, tasks in self._splits.items() for task in tasks}

    def size(self, split: str) -> int:
        return len(self._splits.get(split, ()))

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        for id in _ordered([task.id for task in self._splits.get(split, ())], seed):
            yield id

    async def get(self, id: str) -> Task:
        if id not in self._homes:
            raise TaskError(f"no release task {id!r}: there are {len(self._homes)} others")
        split, entry = self._homes[id]
        oracle = (await release.trees(entry, self._cache)).oracle(entry)
        payload = {
            "package": entry.package,
            "version": entry.tree_version,
            "root": entry.import_root,
            "statement": entry.statement,
        }
        secret = {
            "files": entry.source_files,
            "oracle": oracle,
            "repair": entry.FAIL_TO_PASS,
            "keep": entry.PASS_TO_PASS,
            "entry": entry.model_dump(),
        }
        return Task(id, "swe/release", payload, secret, split, tuple(filter(None, [entry.difficulty])))


class BugTasks(TaskSet):
    """One-line bugs put into real packages. Which of them tests notice is found out as the set is read: no size."""

    version = "1"

    def __init__(self, config: SweConfig, runtime: Runtime) -> None:
        packages = catalogue.load(config.tasks_file) if config.tasks_file else catalogue.load()
        self._catalogue = catalogue.Catalogue(packages, runtime.cache)
        self._detail, self._runtime = config.detail, runtime

    def size(self, split: str) -> int | None:
        return None if any(package.split == split for package in self._catalogue.packages.values()) else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        if self.size(split) is None:
            async for id in (await self._bugs()).ids(split, seed):
                yield id

    async def get(self, id: str) -> Task:
        found = await (await self._bugs()).get(id)
        package = found.bug.package
        payload = {
            "package": package.name,
            "version": package.version,
            "root": package.import_root,
            "statement": found.statement(self._detail),
        }
        return Task(id, "swe/bugs", payload, _secret(found), package.split, (found.bug.mutation.kind,))

    async def _bugs(self) -> Bugs:
        names = [package.name for package in self._catalogue.packages.values()]
        return Bugs(self._catalogue, await prover(self._runtime, names))


def _secret(found: BugTask) -> dict[str, Any]:
    bug = found.bug
    line = bug.mutation.line
    before, after = (text.split("\n")[line - 1] for text in (bug.broken, bug.source))
    return {
        "files": [bug.path],
        "oracle": found.oracle,
        "edit": {"path": bug.path, "line": line, "before": before, "after": after},
        "repair": list(found.repair),
        "keep": list(found.keep),
        "twins": list(found.twins),
        "entry": bug.package.model_dump(),
    }


def _ordered(ids: list[str], seed: int | None) -> list[str]:
    if seed is not None:
        Random(seed).shuffle(ids)
    return ids

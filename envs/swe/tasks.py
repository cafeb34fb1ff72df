"""Tasks as the environment takes them, over the task files: what is public, what is secret, where it is looked up.

A task names its sources (package, version, hash) and never holds them; `materials.py` brings the trees.
Public: package, version, import root, statement.  Secret: the files that the reference solution changes, the solution
itself as a patch ("oracle"), the test ids, and for a one-line bug the line ("edit").
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import TYPE_CHECKING

from agentgym.envs.swe import release
from agentgym.envs.swe.config import SweConfig
from agentgym.errors import TaskError
from agentgym.tasks import Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class ReleaseTasks(TaskSet):
    """Real releases: the base version's source against the fix version's tests. A task is fetched when it is got."""

    version = "1"

    def __init__(self, config: SweConfig, runtime: Runtime) -> None:
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
            "version": entry.base_version,
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


def _ordered(ids: list[str], seed: int | None) -> list[str]:
    if seed is not None:
        Random(seed).shuffle(ids)
    return ids

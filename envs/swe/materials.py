"""From a task to what boxes are made of: the tree the agent gets, the test dependencies, the hidden tests.

Trusted side only.  Everything is looked up by pinned hash in the cache; of all this an agent sees `tree`, and the
test dependencies, which hold pytest and never a copy of the package under test.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym.envs.swe.boxes import of_runtime, python_of
from agentgym.envs.swe.bugs import Bugs
from agentgym.envs.swe.catalogue import BugPackage, Catalogue
from agentgym.envs.swe.packages import tree_digest
from agentgym.envs.swe.proving import Prover
from agentgym.envs.swe.release import ReleaseTask, trees
from agentgym.envs.swe.runner import ENVIRONMENT, Suite
from agentgym.envs.swe.testdeps import MOUNT, check, test_deps
from agentgym.envs.swe.workspace import listing_of
from agentgym.sandboxes.sandbox import WORKSPACE
from agentgym.tasks import Task

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_PYTEST = "-p no:cacheprovider -c /dev/null --rootdir=/workspace"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Materials:
    """`tree` is the agent's pristine workspace, `listing` its files' digests, `digest` one over all of it; `suite` is
    what the verifier runs."""

    tree: Path
    listing: Mapping[str, str]
    digest: str
    suite: Suite

    @property
    def mounts(self) -> tuple[tuple[Path, str], ...]:
        return ((self.suite.deps, MOUNT),)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the agent's commands: pytest works there as it does for the verifier."""
        root = WORKSPACE if self.suite.import_root == "." else f"{WORKSPACE}/{self.suite.import_root}"
        return {
            **ENVIRONMENT,
            "PYTHONPATH": f"{root}:{MOUNT}",
            "PYTEST_ADDOPTS": _PYTEST,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

    def text(self, path: str) -> str | None:
        """A file of the pristine tree; None if there is none."""
        file = self.tree / path
        return file.read_bytes().decode("utf-8", "surrogateescape") if file.is_file() else None


async def materials(task: Task, runtime: Runtime) -> Materials:
    """What `task` is made of; fetched if need be, and kept for a while. Raises TaskError."""
    shelf: OrderedDict[str, Materials] = await runtime.resource("swe-materials", _shelf)
    key = task.hash
    if key not in shelf:
        shelf[key] = await _bring(task, runtime)
        if len(shelf) > _KEPT:
            shelf.popitem(last=False)
    shelf.move_to_end(key)
    return shelf[key]


async def _shelf() -> OrderedDict[str, Materials]:
    return OrderedDict()


async def prover(runtime: Runtime, packages: Iterable[str]) -> Prover:
    """The runtime's prover of bugs. TaskError if the test dependencies hold one of the packages under test."""

    async def opened() -> Prover:
        made = Prover(of_runtime(runtime), await _deps(runtime, ()), runtime.cache)
        runtime.on_close(made.close)
        return made

    check(await _deps(runtime, ()), packages)
    return await runtime.resource("swe-prover", opened)


async def _deps(runtime: Runtime, forbidden: Iterable[str], extra: Iterable[str] = ()) -> Path:
    python = await runtime.resource("swe-python", lambda: python_of(of_runtime(runtime)))
    return await test_deps(python, forbidden, folder=runtime.cache, extra=extra)


async def _bring(task: Task, runtime: Runtime) -> Materials:
    if task.env == "swe/bugs":
        package = BugPackage.model_validate(task.secret["entry"])
        bugs = Bugs(Catalogue([package], runtime.cache), await prover(runtime, [package.name]))
        bug = await bugs.get(task.id)
        tree = await asyncio.to_thread(bugs.tree, bug)
        return await asyncio.to_thread(_made, tree, bug.suite)
    entry = ReleaseTask.model_validate(task.secret["entry"])
    both = await trees(entry, runtime.cache)
    suite = both.suite(entry, await _deps(runtime, [entry.package], entry.requirements))
    return await asyncio.to_thread(_made, both.base, suite)


def _made(tree: Path, suite: Suite) -> Materials:
    return Materials(tree, listing_of(tree), tree_digest(tree), suite)

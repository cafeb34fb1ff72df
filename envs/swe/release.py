"""Release tasks: a package's base version, the tests of the version that fixed it. Reading task files, building trees.

A task file holds data only (names, versions, hashes, test ids, a statement in one's own words); sources come from the
index by pinned hash, and the oracle is made from them at run time.  Running tests is `runner`'s business.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from agentgym.envs.swe import diffs
from agentgym.envs.swe.cache import cache_dir, digest, publish
from agentgym.envs.swe.hunks import Hunk, put_back
from agentgym.envs.swe.packages import copy_tree, fetch, replace_file
from agentgym.envs.swe.patch_filter import is_test
from agentgym.envs.swe.runner import Suite
from agentgym.errors import TaskError

DATA = Path(__file__).parent / "data" / "release_tasks.json"

_SPLITS = {"train": "train", "validation": "validation", "test": "test", "heldout": "test"}
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _inside(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} is not a path inside the package")
    return path


_Path = Annotated[str, AfterValidator(_inside)]
_Pin = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+$")]


class ReleaseTask(BaseModel):
    """One entry of a task file. Fields that are not named here are carried by the format but not needed.

    With `hunks` the task is one fix of a release: its tree is the fix version with these hunks put back, without the
    test files that have a failing test.  `requirements` are exact pins of what its tests import beyond the common ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, StringConstraints(min_length=1)]
    package: str
    base_version: str
    fix_version: str
    base_sdist: str
    base_sha256: _Sha256
    fix_sdist: str
    fix_sha256: _Sha256
    import_root: _Path = "."
    test_targets: list[_Path] = Field(min_length=1)
    source_files: list[_Path] = Field(min_length=1)
    FAIL_TO_PASS: list[str] = Field(min_length=1)
    PASS_TO_PASS: list[str]
    unstable_ids: list[str] = []
    statement: Annotated[str, StringConstraints(min_length=1)]
    statement_source: Literal["changelog", "diff"] | str = "changelog"
    difficulty: str = ""
    hunks: list[Hunk] = []
    requirements: list[_Pin] = []

    @model_validator(mode="after")
    def _hunks_are_of_the_source_files(self) -> Self:
        if self.hunks and {hunk.path for hunk in self.hunks} != set(self.source_files):
            raise ValueError("the files of 'hunks' must be those of 'source_files'")
        return self

    @property
    def tree_version(self) -> str:
        """The version that the agent's tree is most of."""
        return self.fix_version if self.hunks else self.base_version


@dataclass(frozen=True, slots=True)
class ReleaseTrees:
    """The agent's tree, the fix version, and what follows from them. Paths are relative to the trees' tops."""

    base: Path
    fix: Path

    @property
    def hidden_tests(self) -> dict[str, bytes]:
        """The fix version's test files: what is laid over the base before a verdict."""
        return {path: (self.fix / path).read_bytes() for path in _files(self.fix) if is_test(path)}

    @property
    def base_tests(self) -> list[str]:
        """The base version's test files: they go before the hidden ones come."""
        return [path for path in _files(self.base) if is_test(path)]

    def suite(self, task: ReleaseTask, deps: Path) -> Suite:
        """What judges the task. `deps` is the directory of `testdeps`."""
        targets, removed = tuple(task.test_targets), tuple(self.base_tests)
        return Suite(targets, deps, task.import_root, self.hidden_tests, removed)

    def oracle(self, task: ReleaseTask) -> str:
        """The diff of the task's source files from the base to the fix version."""
        return "".join(diffs.make(path, _text(self.base / path), _text(self.fix / path)) for path in task.source_files)


def load(path: Path = DATA) -> dict[str, list[ReleaseTask]]:
    """The tasks of a file, by split. Raises TaskError naming the line, or the task and field, that is wrong."""
    content = _read(path)
    splits: dict[str, list[ReleaseTask]] = {}
    for key, split in _SPLITS.items():
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise TaskError(f"{path}: {key!r} must be a list of tasks, not {type(entries).__name__}")
        for number, entry in enumerate(entries):
            splits.setdefault(split, []).append(_parse(entry, f"{path}: {key}[{number}]"))
    if not splits:
        raise TaskError(f"{path}: no tasks; it needs a list under one of {', '.join(_SPLITS)}")
    _check(splits, path)
    return splits


async def trees(task: ReleaseTask, cache: Path | None = None) -> ReleaseTrees:
    """Fetch both versions of a task, put its hunks back. Raises TaskError as `fetch` and `hunks.put_back` do."""
    base = await fetch(task.package, task.base_version, task.base_sha256, task.base_sdist, cache)
    fix = await fetch(task.package, task.fix_version, task.fix_sha256, task.fix_sdist, cache)
    if task.hunks:
        key = digest("hunks", task.base_sha256, task.fix_sha256, *_tested_in(task), *(repr(h) for h in task.hunks))
        target = (cache or cache_dir()) / "hunk-trees" / key
        base = await asyncio.to_thread(publish, target, lambda folder: lay_out(task, base, fix, folder))
    return ReleaseTrees(base, fix)


def lay_out(task: ReleaseTask, base: Path, fix: Path, folder: Path) -> None:
    """Fill `folder` with the fix version, the task's hunks put back, without the tests that notice it."""
    copy_tree(fix, folder, _tested_in(task))
    for path in task.source_files:
        old, new = _text(base / path), _text(fix / path)
        if old is None or new is None:
            raise TaskError(f"{task.id}: {path} is not in both versions")
        text = put_back([hunk for hunk in task.hunks if hunk.path == path], old, new)
        replace_file(folder / path, text.encode("utf-8", "surrogateescape"), fix / path)


def _tested_in(task: ReleaseTask) -> list[str]:
    return sorted({id.partition("::")[0] for id in task.FAIL_TO_PASS})


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TaskError(f"{path} can not be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not UTF-8 text: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise TaskError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(content, dict):
        raise TaskError(f"{path}: must hold an object with the splits as keys, not {type(content).__name__}")
    return content


def _parse(entry: Any, where: str) -> ReleaseTask:
    name = f"{where} ({entry['id']})" if isinstance(entry, dict) and "id" in entry else where
    try:
        return ReleaseTask.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the entry"
        raise TaskError(f"{name}: field {field}: {first['msg']}") from None


def _check(splits: dict[str, list[ReleaseTask]], path: Path) -> None:
    """Ids are unique and no package is in two splits, or a held-out number would mean nothing."""
    ids: set[str] = set()
    homes: dict[str, str] = {}
    for split, tasks in splits.items():
        for task in tasks:
            if task.id in ids:
                raise TaskError(f"{path}: two tasks are called {task.id!r}")
            if homes.setdefault(task.package, split) != split:
                raise TaskError(f"{path}: package {task.package!r} is in both {homes[task.package]!r} and {split!r}")
            ids.add(task.id)


def _files(tree: Path) -> list[str]:
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None

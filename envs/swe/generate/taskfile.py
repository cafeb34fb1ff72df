"""The task file that a run adds to: what is in it stays as it is, statements written by hand first of all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from agentgym.envs.swe import release
from agentgym.envs.swe.release import ReleaseTask

_HEAD = {
    "schema": 2,
    "about": "Real releases, and single fixes out of them, as tasks. Validated: without a patch every FAIL_TO_PASS "
    "fails and every PASS_TO_PASS passes; with the reference solution all pass, three times.",
}


class TaskFile:
    """The tasks of a file by split; entries are kept as they were read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else dict(_HEAD)
        known = release.load(path) if path.is_file() else {}
        self.tasks: dict[str, ReleaseTask] = {task.id: task for tasks in known.values() for task in tasks}
        self.homes: dict[str, str] = {task.package: split for split, tasks in known.items() for task in tasks}

    def count(self, package: str, but: Collection[str] = ()) -> int:
        """The tasks of a package, without those of the pairs in `but`."""
        ids = [task.id for task in self.tasks.values() if task.package == package]
        return sum("__".join(id.split("__")[:3]) not in but for id in ids)

    def hunks_of(self, pair: str) -> int:
        """The tasks that are hunks of a pair."""
        return sum(id.startswith(f"{pair}__") for id in self.tasks)

    def pins(self, package: str) -> dict[str, tuple[str, str]]:
        """File name and SHA-256 of the package's versions that tasks name."""
        found: dict[str, tuple[str, str]] = {}
        for task in self.tasks.values():
            if task.package == package:
                found[task.base_version] = (task.base_sdist, task.base_sha256)
                found[task.fix_version] = (task.fix_sdist, task.fix_sha256)
        return found

    def add(self, entry: dict[str, Any], split: str) -> None:
        """Enter a task. Raises ValidationError if it is none."""
        task = ReleaseTask.model_validate(entry)
        self.tasks[task.id] = task
        self._content.setdefault(split, []).append(entry)

    def write(self) -> None:
        """Write the file whole; entries are in the order of their ids."""
        for split in ("train", "validation", "test"):
            if split in self._content:
                self._content[split].sort(key=lambda entry: str(entry["id"]))
        handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self._content, file, indent=1, ensure_ascii=False)
            file.write("\n")
        os.chmod(scratch, 0o644)
        os.replace(scratch, self._path)

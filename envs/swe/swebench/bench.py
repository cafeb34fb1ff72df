"""`swe/bench`: an instance of SWE-bench as an episode. The agent works on the image's source tree, where the image has it.

The tasks are the user's file; images are taken where the daemon has them and never pulled.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

from pydantic import Field

from agentgym.envs.swe import diffs
from agentgym.envs.swe.config import BoxConfig
from agentgym.envs.swe.shell import ShellState
from agentgym.envs.swe.swebench.eval_script import TESTBED
from agentgym.envs.swe.swebench.images import MAX_FILES, Prepared, prepare
from agentgym.envs.swe.swebench.instance import Instance, filled, read
from agentgym.envs.swe.toolset import FULL
from agentgym.envs.swe.workbench import Workbench
from agentgym.envs.swe.workspace import notes_text, patch_of
from agentgym.errors import TaskError, UsageError
from agentgym.runtime import Runtime
from agentgym.sandboxes.sandbox import BIN_PATH, SandboxSpec
from agentgym.tasks import Task, TaskSet

ID = "swe/bench"
_CONDA = "/opt/miniconda3/envs/testbed/bin"
_TASK = (
    f"The source tree of {{repo}} is at {TESTBED}, and commands start there; there is no network.\n\n{{statement}}\n\n"
    "Change the source, not the tests: hidden tests will judge it. Call submit when you are done."
)


class BenchConfig(BoxConfig):
    """Options of `swe/bench`. tasks_file: instances as JSON lines, of SWE-bench's classic format or of 5.x's."""

    tasks_file: Path | None = None
    patch_bytes: int = Field(default=1 << 20, ge=1)
    memory_mb: int = Field(default=4096, ge=64)
    disk_mb: int = Field(default=4096, ge=1)
    processes: int = Field(default=512, ge=8)


class BenchTasks(TaskSet):
    """The instances of a file. Those that say no split are "test": a benchmark is not for training."""

    version = "1"

    def __init__(self, config: BenchConfig, runtime: Runtime) -> None:
        instances = read(config.tasks_file) if config.tasks_file else []
        self._instances = {each.instance_id: each for each in instances}

    def size(self, split: str) -> int:
        return sum(_split(each) == split for each in self._instances.values())

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        if not self._instances:
            raise UsageError(f"{ID} has no tasks of its own: name a file of instances with --tasks")
        ids = [id for id, each in self._instances.items() if _split(each) == split]
        if seed is not None:
            Random(seed).shuffle(ids)
        for id in ids:
            yield id

    async def get(self, id: str) -> Task:
        if id not in self._instances:
            raise TaskError(f"no instance {id!r}: there are {len(self._instances)} others")
        return task_of(self._instances[id])


def task_of(instance: Instance) -> Task:
    """An instance as a task. Raises TaskError if it can not be run here."""
    if not instance.FAIL_TO_PASS:
        raise TaskError(f"{instance.instance_id}: FAIL_TO_PASS is empty: nothing would tell a repair")
    if any((instance.image_assets or {}).values()):
        raise TaskError(f"{instance.instance_id}: image_assets are files from elsewhere, which are not fetched here")
    instance = filled(instance)
    payload = {"package": instance.repo, "version": instance.version, "root": "."}
    secret = {
        "files": sorted(set(re.findall(r"^diff --git a/.* b/(.*)$", instance.patch, re.MULTILINE))),
        "oracle": _readable(instance.patch),
        "instance": instance.row(),
    }
    return Task(instance.instance_id, ID, payload | {"statement": instance.problem_statement}, secret, _split(instance))


def instance_of(task: Task) -> Instance:
    return Instance.model_validate(task.secret["instance"])


class BenchEnvironment(Workbench[BenchConfig]):
    """One instance. Process scores beside the workbench's: "file", as in the other repair environments."""

    _prepared: Prepared

    async def on_reset(self) -> str:
        self._prepared = await prepare(instance_of(self.task).image or "", self.runtime)
        await self.open_box()
        self.desk.shell = ShellState(TESTBED, self._variables())
        self.allow(*FULL)
        turns = self.spec.limits.turns
        told = _TASK.format(repo=self.task.payload["package"], statement=self.task.payload["statement"])
        return told if turns is None else f"{told}\n\nSteps remaining: {turns}"

    def looked_at(self, path: str) -> None:
        if path in self.task.secret.get("files", ()) and path not in self.desk.touched:
            if not self.desk.touched:
                self.score("file", 1.0)
            self.desk.touched |= {path}

    async def save(self) -> Any:
        return (*await super().save(), self._prepared)

    async def load(self, native: Any) -> None:
        *rest, self._prepared = native
        await super().load(rest)

    async def artefacts(self) -> dict[str, str]:
        await self.kill_strays()
        prepared = self._prepared
        patch = await patch_of(self.live, prepared.tree, prepared.listing, self.config.patch_bytes, MAX_FILES)
        return {"patch": patch.text, "notes": notes_text(patch.notes)}

    def box_spec(self) -> SandboxSpec:
        return SandboxSpec(self._prepared.image, self._prepared.tree, limits=self.box_limits())

    def _variables(self) -> dict[str, str]:
        """Of the agent's commands: the image's own, and first on PATH the environment that such images are made with."""
        env = dict(self._prepared.env)
        return env | {"PATH": f"{_CONDA}:{env.get('PATH', BIN_PATH)}"}


def _split(instance: Instance) -> str:
    given = (instance.model_extra or {}).get("split")
    return {"train": "train", "dev": "validation", "validation": "validation"}.get(str(given), "test")


def _readable(patch: str) -> str:
    """A patch that the comparisons with a reference solution can read; "" for one with renames and the like."""
    try:
        diffs.parse(patch)
    except diffs.PatchError:
        return ""
    return patch

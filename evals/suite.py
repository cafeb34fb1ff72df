"""Suite: which tasks, of which version of an environment, under which seeds and limits. Pinned in a JSON file.

Opening a suite makes its environment and tasks anew and refuses if anything has another hash than when it was pinned.
Playing it is `rollout`'s business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agentgym.envspec import EnvSpec
from agentgym.errors import TaskError, UsageError
from agentgym.registry import spec as spec_of
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.types import Limits


class Suite(BaseModel):
    """A pinned evaluation. `tasks` maps ids to hashes, in the order they are played."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    env: str
    config: dict[str, Any]
    spec_hash: str
    limits: Limits
    seed: int = 0
    samples: int = 1
    tasks: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Suite:
        """Raises UsageError naming the file and the field if it is not a suite."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise UsageError(f"no suite {path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"{path} is not a suite: {where}: {first['msg']}") from error

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n")

    async def open(self, runtime: Runtime, spec: EnvSpec | None = None) -> tuple[EnvSpec, list[Task]]:
        """The environment and the tasks, as pinned. Raises UsageError saying what is not as it was."""
        spec = (spec or spec_of(self.env)).configure(**self.config)
        if spec.id != self.env:
            raise UsageError(f"suite {self.name} is of {self.env}, not of {spec.id}")
        if spec.limits != self.limits:
            raise UsageError(f"suite {self.name}: pinned with limits {self.limits}, but {spec.id} has {spec.limits}")
        if spec.hash != self.spec_hash:
            raise UsageError(f"suite {self.name}: {spec.id} is not what was pinned: its spec has another hash")
        task_set = runtime.tasks(spec)
        tasks, changed = [], []
        for id, pinned in self.tasks.items():
            try:
                task = await task_set.get(id)
            except TaskError:
                changed.append(f"{id} (gone)")
                continue
            tasks.append(task)
            if task.hash != pinned:
                changed.append(id)
        if changed:
            raise UsageError(f"suite {self.name}: {len(changed)} tasks are not as pinned: {', '.join(changed[:5])}")
        return spec, tasks


async def pin(
    spec: EnvSpec,
    runtime: Runtime,
    *,
    name: str,
    split: str = "test",
    limit: int = 1000,
    seed: int = 0,
    samples: int = 1,
) -> Suite:
    """A suite of the first `limit` tasks of `split`. Raises UsageError if there are none."""
    tasks = await runtime.tasks(spec).take(split, limit)
    if not tasks:
        raise UsageError(f"{spec.id} has no {split} tasks to pin")
    return Suite(
        name=name,
        env=spec.id,
        config=spec.config.model_dump(mode="json"),
        spec_hash=spec.hash,
        limits=spec.limits,
        seed=seed,
        samples=samples,
        tasks={task.id: task.hash for task in tasks},
    )


def shipped() -> dict[str, Suite]:
    """The suites that come with agentgym, by name."""
    folder = Path(__file__).parent / "suites"
    found = [Suite.read(path) for path in folder.glob("*.json")]
    return {suite.name: suite for suite in sorted(found, key=lambda suite: suite.name)}


def find(name: str) -> Suite:
    """The suite in file `name` (any path ending in .json), or shipped under it. Raises UsageError."""
    if name.endswith(".json"):
        return Suite.read(Path(name))
    if name not in shipped():
        raise UsageError(f"no suite {name!r}: give a file.json, or one of {', '.join(shipped()) or 'none shipped'}")
    return shipped()[name]

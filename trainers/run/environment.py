"""From a run's description to its environment and tasks. What an environment is made of is its own business."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agentgym import registry
from agentgym.envspec import EnvSpec
from agentgym.errors import TaskError, UsageError
from agentgym.evals.held_out import refuse_held_out
from agentgym.tasks import SPLITS, Task
from agentgym.trainers.config.sections import RunConfig
from agentgym.trainers.config.wording import unknown, wrong
from agentgym.trainers.rollouts import Engine
from agentgym.types import Limits


def spec_of(config: RunConfig) -> EnvSpec:
    """The environment as the run wants it. Raises UsageError naming the key."""
    changes = dict(config.env_config)
    try:
        spec = registry.find(config.env)
    except UsageError as error:
        raise UsageError(f"env: {error}") from error
    if config.tasks.file is not None:
        if "tasks_file" not in type(spec.config).model_fields:
            raise UsageError(f"tasks.file: {spec.id} takes no task file: its tasks are its own")
        if not Path(config.tasks.file).is_file():
            raise UsageError(f"tasks.file: no file {config.tasks.file}")
        changes["tasks_file"] = config.tasks.file
    try:
        spec = spec.configure(**changes)
    except UsageError as error:
        raise UsageError(f"env_config: {error}") from error
    return replace(spec, limits=_limits({**asdict(spec.limits), **config.limits}))


def tasks_of(config: RunConfig, spec: EnvSpec, engine: Engine) -> list[Task]:
    """What is trained on. Raises UsageError for tasks that there are not, or that are held out."""
    wanted = config.tasks
    if wanted.ids is None:
        tasks = take(spec, engine, wanted.split, wanted.limit, "tasks")
    else:
        task_set = engine.runtime.tasks(spec)
        try:
            tasks = [engine.run(task_set.get(id)) for id in wanted.ids]
        except TaskError as error:
            raise UsageError(f"tasks.ids: {error}") from error
    refuse_held_out(tasks)
    return tasks


def take(spec: EnvSpec, engine: Engine, split: str, limit: int | None, section: str) -> list[Task]:
    """The first tasks of a split. Raises UsageError if it has none, or no end where no limit is given."""
    task_set = engine.runtime.tasks(spec)
    size = task_set.size(split)
    if size is None and limit is None:
        raise UsageError(f"{section}: split {split} of {spec.id} has no end: give {section}.limit")
    tasks = engine.run(task_set.take(split, size or 0 if limit is None else limit))
    if not tasks:
        others = [name for name in SPLITS if task_set.size(name) != 0]
        raise UsageError(
            f"{section}.split: {spec.id} has no {split} tasks, only {' and '.join(others) or 'none at all'}"
        )
    return tasks


def _limits(values: dict[str, object]) -> Limits:
    known = Limits.__dataclass_fields__
    for name in values:
        if name not in known:
            raise UsageError(unknown(name, "limits", known))
    try:
        return TypeAdapter(Limits).validate_python(values, strict=False)
    except ValidationError as error:
        raise UsageError("\n".join(wrong(error.errors(), "limits"))) from None

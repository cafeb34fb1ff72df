"""From a file and KEY=VALUE overrides to a RunConfig, or to one message that names all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from agentgym.errors import UsageError
from agentgym.trainers.config.arguments import problems
from agentgym.trainers.config.sections import RunConfig
from agentgym.trainers.config.text import parse
from agentgym.trainers.config.wording import unknown, wrong


def read(file: Path | None, overrides: Sequence[str] = ()) -> RunConfig:
    """The run that `file` (None: an empty one) and `overrides` such as "trainer.learning_rate=1e-5" describe.

    Raises UsageError with a line for every unknown key and every wrong value.
    """
    data = {} if file is None else _mapping(file)
    for text in overrides:
        _override(data, text)
    config, found = None, []
    try:
        config = RunConfig.model_validate(data)
    except ValidationError as error:
        found = _told(error)
    algorithm, trainer = data.get("algorithm", "grpo"), data.get("trainer")
    if algorithm in ("grpo", "ppo") and isinstance(trainer, dict):
        found += problems(algorithm, trainer)
    if config is None or found:
        raise UsageError("\n".join(found))
    return _placed(config, Path() if file is None else file.parent)


def _mapping(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
    except FileNotFoundError:
        raise UsageError(f"no file {file}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can not be read: {error}") from None
    data = parse(text, str(file))
    if not isinstance(data, dict):
        said = "is empty" if data is None else f"holds a {type(data).__name__}"
        raise UsageError(f"{file} {said}: a run is `key: value` lines, env, model and output_dir at least")
    return data


def _override(data: dict[str, Any], text: str) -> None:
    key, separator, value = text.partition("=")
    if not separator or not all(key.split(".")):
        raise UsageError(f"overrides are KEY=VALUE, such as trainer.learning_rate=1e-5, not {text!r}")
    *sections, last = key.split(".")
    place = data
    for index, name in enumerate(sections):
        if place.get(name) is None:
            place[name] = {}
        place = place[name]
        if not isinstance(place, dict):
            raise UsageError(f"{key}: {'.'.join(sections[: index + 1])} is {place!r}, which has no keys")
    place[last] = parse(value, key)


def _told(error: ValidationError) -> list[str]:
    found = []
    for each in error.errors():
        if each["type"] == "extra_forbidden":
            *path, name = map(str, each["loc"])
            found.append(unknown(name, ".".join(path), _known(path)))
    return found + wrong(each for each in error.errors() if each["type"] != "extra_forbidden")


def _known(path: Sequence[str]) -> Mapping[str, Any]:
    """The keys of the section at `path`."""
    section: type[BaseModel] = RunConfig
    for name in path:
        annotation = section.model_fields[name].annotation
        kinds = get_args(annotation) or (annotation,)
        section = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return section.model_fields


def _placed(config: RunConfig, folder: Path) -> RunConfig:
    """Files that the run's file names lie beside it; what the run writes goes where its user is."""
    changes: dict[str, Any] = {}
    if config.env.endswith(".py"):
        changes["env"] = str((folder / config.env).resolve())
    if config.tasks.file is not None:
        changes["tasks"] = config.tasks.model_copy(update={"file": str((folder / config.tasks.file).resolve())})
    if config.expert is not None:
        changes["expert"] = config.expert.model_copy(
            update={"rollout": str((folder / config.expert.rollout).resolve())}
        )
    return config.model_copy(update=changes)

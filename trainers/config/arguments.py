"""The section `trainer`: fields of the algorithm's config, found in the dataclass itself, so that new ones need no edit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from agentgym.errors import UsageError
from agentgym.trainers.config.sections import RunConfig
from agentgym.trainers.config.wording import unknown, wrong

ELSEWHERE = {
    "output_dir": "it is a key of its own, output_dir",
    "seed": "it is a key of its own, seed",
    "resume_from_checkpoint": "say --resume",
    "hub_token": "a file is no place for a secret: set HF_TOKEN",
}


def arguments(config: RunConfig) -> Any:
    """The AgentGRPOConfig or AgentPPOConfig of a run. Raises UsageError for what it does not take.

    Checkpoints fall between batches of episodes, where a run can go on to the same numbers.
    """
    cls = _class(config.algorithm)
    try:
        made = cls(output_dir=config.output_dir, seed=config.seed, **config.trainer)
    except (UsageError, ValueError, TypeError, ImportError) as error:
        raise UsageError(f"trainer: {error}") from error
    every = cycle(made)
    if made.save_steps % every and "save_steps" in config.trainer:
        raise UsageError(
            f"trainer.save_steps: a batch of episodes is learnt from in {every} steps, and a checkpoint within can not go "
            f"on to the same numbers: give a multiple of {every}"
        )
    made.save_steps = math.ceil(made.save_steps / every) * every
    _check_sinks(made.report_to)
    return made


def cycle(made: Any) -> int:
    """How many optimiser steps one batch of episodes is learnt from."""
    micro, share = made.steps_per_generation * made.num_iterations, made.gradient_accumulation_steps
    return int(math.lcm(micro, share) // share)


def problems(algorithm: str, section: Mapping[str, Any]) -> list[str]:
    """All that is wrong with the names and types of a section `trainer`."""
    known, found = _fields(algorithm), []
    for name, value in section.items():
        if name in ELSEWHERE:
            found.append(f"trainer.{name}: {ELSEWHERE[name]}")
        elif name not in known:
            found.append(unknown(name, "trainer", [each for each in known if each not in ELSEWHERE]))
        else:
            try:
                _adapter(algorithm, name).validate_python(value, strict=True)
            except ValidationError as error:
                found.extend(wrong(error.errors(), f"trainer.{name}"))
    return found


def resolved(config: RunConfig) -> dict[str, Any]:
    """The whole run as plain data: every key of every section, given or not. `read` takes it back."""
    defaults = {name: _default(each) for name, each in _fields(config.algorithm).items() if name not in ELSEWHERE}
    return {**config.model_dump(), "trainer": {**defaults, **config.trainer}}


def _class(algorithm: str) -> Any:
    if algorithm == "ppo":
        from agentgym.trainers.ppo import AgentPPOConfig

        return AgentPPOConfig
    from agentgym.trainers.grpo import AgentGRPOConfig

    return AgentGRPOConfig


@cache
def _fields(algorithm: str) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(_class(algorithm)) if each.init}


@cache
def _adapter(algorithm: str, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_hints(algorithm)[name])


@cache
def _hints(algorithm: str) -> dict[str, Any]:
    return get_type_hints(_class(algorithm))


def _default(each: Field[Any]) -> Any:
    if each.default_factory is not MISSING:
        return each.default_factory()
    value = None if each.default is MISSING else each.default
    return str(value) if isinstance(value, str) else value  # an enum of texts is a text in a file


def _check_sinks(names: Any) -> None:
    """Refuse a logger that there is not, or that is not installed, before anything runs."""
    from transformers.integrations import integration_utils

    known = integration_utils.INTEGRATION_TO_CALLBACK
    for name in names or ():
        if name not in known:
            raise UsageError(f"trainer.report_to: {unknown(str(name), 'report_to', known)}")
        there = getattr(integration_utils, f"is_{name}_available", None)
        if there is not None and not there():
            raise UsageError(f"trainer.report_to: {name} is not installed: pip install {name}")

"""How a mini-swe-agent is made: its DefaultAgent, with a model of its own classes, from its own configuration files."""

from __future__ import annotations

import copy
import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from agentgym.errors import UsageError

Make = Callable[[Any], Any]
"""Makes an agent over the environment it is given."""


def library(name: str) -> Any:
    """A module of minisweagent, which prints a greeting at its first import unless told not to. UsageError without it."""
    os.environ.setdefault("MSWEA_SILENT_STARTUP", "1")
    try:
        return importlib.import_module(f"minisweagent{name}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        absent = missing.partition(".")[0] == "minisweagent"
        what = "mini-swe-agent is not installed" if absent else f"mini-swe-agent needs {missing}"
        raise UsageError(f"{what}: pip install 'agentgym[mini-swe-agent]'") from None


def maker(model: Any = None, *, config: str = "mini", model_class: str = "", **options: Any) -> Make:
    """Makes a DefaultAgent for each episode.

    `model` is a name for mini-swe-agent's `get_model`, or a function that makes a model object; `model_class` one of its
    model classes; `config` one of its configuration files by name or path; `options` go into the agent's part of it
    (`cost_limit`, templates).  Raises UsageError for what is not there.
    """
    wanted = _config(config)
    agent = library(".agents.default").DefaultAgent
    if callable(model):
        make_model = model
    else:
        settings = wanted.get("model", {}) | ({"model_class": model_class} if model_class else {})
        make_model = _named(model, settings)

    def make(environment: Any) -> Any:
        return agent(make_model(), environment, **{**wanted.get("agent", {}), **options})

    return make


def _named(name: str | None, settings: Mapping[str, Any]) -> Callable[[], Any]:
    models = library(".models")
    try:
        chosen = models.get_model_name(name, dict(settings))
        models.get_model_class(chosen, str(settings.get("model_class", "")))
    except ModuleNotFoundError as error:
        raise UsageError(f"the model needs {error.name}: pip install 'agentgym[mini-swe-agent]'") from None
    except ValueError as error:
        raise UsageError(f"mini-swe-agent has no such model: {error}") from None
    return lambda: models.get_model(chosen, copy.deepcopy(dict(settings)))


def _config(name: str) -> dict[str, Any]:
    try:
        found = library(".config").get_config_from_spec(name)
    except (OSError, ValueError) as error:
        raise UsageError(f"mini-swe-agent has no configuration {name!r}: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"the configuration {name!r} must be a mapping")
    return found

"""The registry: from an environment's id to its spec. Ours and yours come through the same door, entry points."""

from __future__ import annotations

import difflib
import importlib.util
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError, UsageError
from agentgym.runtime import Runtime

GROUP = "agentgym.environments"
_registered: dict[str, EnvSpec] = {}


def register(spec: EnvSpec) -> EnvSpec:
    """Add an environment in this process. Raises UsageError if its id is taken by another one."""
    if _registered.get(spec.id, spec) is not spec:
        raise UsageError(f"an environment {spec.id!r} is registered already: give yours another id")
    _registered[spec.id] = spec
    return spec


def ids() -> list[str]:
    """Every environment that can be made here, without importing any."""
    return sorted(_registered.keys() | {point.name for point in entry_points(group=GROUP)})


def spec(id: str) -> EnvSpec:
    """The spec called `id`. Raises UsageError with the nearest names if there is none."""
    if id in _registered:
        return _registered[id]
    for point in entry_points(group=GROUP, name=id):
        loaded: EnvSpec = point.load()
        if loaded.id != id:
            raise UsageError(f"entry point {id!r} ({point.value}) is the spec of {loaded.id!r}: make the two agree")
        return loaded
    near = difflib.get_close_matches(id, ids(), n=3, cutoff=0.3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"no environment {id!r}.{hint} `agentgym list` shows all.")


def find(name: str) -> EnvSpec:
    """The spec called `name`, or the one that the Python file `name` defines. Raises UsageError, also if it is broken."""
    try:
        return _from_file(Path(name)) if name.endswith(".py") else spec(name)
    except AgentGymError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
        raise UsageError(f"{name} can not be loaded: {said}") from error


def _from_file(path: Path) -> EnvSpec:
    """The one spec that a Python file defines."""
    found = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if not path.is_file() or found is None or found.loader is None:
        raise UsageError(f"no Python file {path}")
    module = importlib.util.module_from_spec(found)
    sys.modules[path.stem] = module
    found.loader.exec_module(module)
    specs = {id(value): value for value in vars(module).values() if isinstance(value, EnvSpec)}
    if len(specs) != 1:
        raise UsageError(f"{path} defines {len(specs)} specs: give a file with one, or register them and give an id")
    return next(iter(specs.values()))


def make(id: str | EnvSpec, *, runtime: Runtime | None = None, verdict: bool = True, **config: Any) -> Environment[Any]:
    """Make an environment. Without `runtime`, one of this process's own is used (see `default_runtime`).

    `verdict=False` leaves the verdict to the caller (the engine does).  Further keywords are the environment's
    configuration.  Raises UsageError for an unknown id, a bad option, or a sandbox backend that lacks what it needs.
    """
    chosen = (id if isinstance(id, EnvSpec) else spec(id)).configure(**config)
    runtime = runtime or default_runtime()
    if chosen.needs:
        backend = runtime.sandbox_class
        if missing := chosen.needs - backend.capabilities:
            raise UsageError(f"{chosen.id} needs {sorted(missing)}, which sandbox backend {backend.name!r} lacks")
    return chosen.entry(chosen, runtime, verdict=verdict)


_default: Runtime | None = None


def default_runtime() -> Runtime:
    """The runtime used when none is given; made at first use."""
    global _default
    if _default is None:
        _default = Runtime()
    return _default

"""The registry: from an environment's id to its spec. Ours and yours come through the same door, entry points."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
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

"""Which sandbox backend is used here: found through the entry-point group `agentgym.sandboxes`, probed, chosen."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from agentgym.errors import UsageError

if TYPE_CHECKING:
    from agentgym.sandboxes.sandbox import Sandbox

GROUP = "agentgym.sandboxes"
PREFERENCE = ("docker", "bubblewrap")


def names() -> list[str]:
    """The installed backends, those that `auto` prefers first."""
    found = {point.name for point in entry_points(group=GROUP)}
    return [name for name in PREFERENCE if name in found] + sorted(found - set(PREFERENCE))


def load(name: str) -> type[Sandbox]:
    """The backend called `name`. Raises UsageError naming those there are."""
    for point in entry_points(group=GROUP, name=name):
        backend: type[Sandbox] = point.load()
        return backend
    raise UsageError(f"no sandbox backend {name!r}: there are {', '.join(names()) or 'none'}")


def choose(name: str = "auto") -> type[Sandbox]:
    """The backend to use. "auto": the first that works here; agent code never runs unconfined for want of one.

    Raises UsageError saying, for each backend, why it does not work and what to type.
    """
    if name != "auto":
        backend = load(name)
        if why := backend.unavailable():
            raise UsageError(f"the sandbox backend {name!r} does not work here: {why}")
        return backend
    reasons = []
    for candidate in names():
        backend = load(candidate)
        why = backend.unavailable()
        if why is None:
            return backend
        reasons.append(f"{candidate}: {why}")
    raise UsageError("no sandbox backend works here.\n" + "\n".join(reasons))

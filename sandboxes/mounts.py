"""Which read-only mounts a spec may ask for. How they are made is each backend's business."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from agentgym.errors import UsageError
from agentgym.sandboxes.sandbox import WORKSPACE, SandboxSpec

_TAKEN = (WORKSPACE, "/proc", "/sys", "/dev", "/tmp")
"""What a box mounts itself."""


def check_mounts(spec: SandboxSpec) -> None:
    """UsageError for a target that is no absolute path, or is the root or a box's own place; for a source not there."""
    for source, target in spec.mounts:
        inside = PurePosixPath(target)
        taken = len(inside.parts) < 2 or any(inside.is_relative_to(place) for place in _TAKEN)
        if not inside.is_absolute() or taken or ".." in inside.parts or "\0" in target:
            raise UsageError(
                f"mount {source} at {target!r}: the target must be absolute, and outside {', '.join(_TAKEN)}"
            )
        if not os.path.exists(source):
            raise UsageError(f"mount {source} at {target!r}: there is no such path on this host")

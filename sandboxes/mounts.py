"""Which read-only mounts a spec may ask for. How they are made is each backend's business."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from agentgym.errors import UsageError
from agentgym.sandboxes.sandbox import WORKSPACE, SandboxSpec


def check_mounts(spec: SandboxSpec) -> None:
    """UsageError for a target that is not an absolute path outside the workspace, or a source that is not there."""
    for source, target in spec.mounts:
        inside = PurePosixPath(target)
        if not inside.is_absolute() or inside.is_relative_to(WORKSPACE) or ".." in inside.parts:
            raise UsageError(f"mount {source} at {target!r}: the target must be absolute and outside {WORKSPACE}")
        if not os.path.exists(source):
            raise UsageError(f"mount {source} at {target!r}: there is no such path on this host")

"""The manifest of a run: everything one needs to know to run it again. Written once, beside the store."""

from __future__ import annotations

import json
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.runtime import Runtime
from agentgym.store import redact

_PACKAGES = ("agentgym", "pydantic", "openai", "torch", "transformers", "trl")


def manifest(
    spec: EnvSpec, runtime: Runtime, *, seed: int, policy: str, tasks: dict[str, str] | None = None, **config: Any
) -> dict[str, Any]:
    """A manifest as a JSON-able dict. `tasks`: ids to hashes, where the run has a fixed list."""
    backend = runtime.sandbox_class if spec.needs else None
    return {
        "schema": 1,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "environment": {
            "id": spec.id,
            "hash": spec.hash,
            "config": spec.config.model_dump(mode="json"),
            "limits": repr(spec.limits),
            "verifier": [spec.verifier.name, spec.verifier.version],
        },
        "sandbox": None if backend is None else {"backend": backend.name, "base": backend.base_digest()},
        "policy": policy,
        "seed": seed,
        "tasks": tasks or {},
        "config": config,
    }


def write_manifest(folder: Path, content: dict[str, Any]) -> Path:
    """Write `manifest.json` into a run's folder, secrets redacted; an earlier one is kept under a number."""
    path = folder / "manifest.json"
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        number = sum(1 for _ in folder.glob("manifest.*.json")) + 1
        path.rename(folder / f"manifest.{number}.json")
    path.write_bytes(redact(json.dumps(content, indent=1, default=str).encode()))
    return path


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

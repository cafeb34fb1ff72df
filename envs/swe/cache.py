"""The on-disk cache: where it is, how directories are published whole, how small results are kept. Knows no contents.

Nothing here is ever half-written for a reader: directories are built beside their final name and renamed; result
files are written aside and renamed, and carry a digest of their value, so that a damaged entry reads as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentgym.errors import UsageError


def cache_dir() -> Path:
    """`AGENTGYM_CACHE`, or agentgym's folder in the user's cache directory."""
    if chosen := os.environ.get("AGENTGYM_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentgym"


def digest(*parts: bytes | str) -> str:
    """SHA-256 over the parts, each with its length before it, as hex."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.hexdigest()


def publish(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`, after `build` filled it if it was not there. Of two processes at once, one wins and both agree."""
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    except OSError as error:
        raise UsageError(f"cannot write to the cache at {target.parent}: {error}; set AGENTGYM_CACHE") from None
    try:
        os.chmod(scratch, 0o755)
        build(scratch)
        try:
            os.rename(scratch, target)
        except OSError:
            if not target.is_dir():
                raise
        return target
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class Results:
    """JSON values by key, one file each. `get` gives None for what is missing or damaged: compute it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Any | None:
        try:
            entry = json.loads(self._path(key).read_bytes())
            return entry["value"] if entry["digest"] == _seal(key, entry["value"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, value: Any) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"digest": _seal(key, value), "value": value}, separators=(",", ":"))
        handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(scratch, path)


def _seal(key: str, value: Any) -> str:
    return digest(key, json.dumps(value, sort_keys=True, separators=(",", ":")))

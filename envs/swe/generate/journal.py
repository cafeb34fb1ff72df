"""What has been found out so far, so that a killed run goes on where it was: one JSON line for each finished step.

Keys are digests of everything that a step depends on, so a line is never stale.  A line that was cut by a kill, or
damaged, reads as absent.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from agentgym.envs.swe.cache import digest


class Journal:
    """Values by key in a file that only grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        for line in path.read_bytes().splitlines() if path.is_file() else []:
            try:
                entry = json.loads(line)
                if entry["seal"] == _seal(entry["key"], entry["value"]):
                    self._values[entry["key"]] = entry["value"]
            except (ValueError, KeyError, TypeError):
                continue

    def get(self, key: str) -> Any | None:
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        """Write one line and see it on disk: what `put` returned from survives a kill."""
        self._values[key] = value = json.loads(json.dumps(value))
        line = json.dumps({"key": key, "seal": _seal(key, value), "value": value}, separators=(",", ":"))
        with open(self._path, "ab") as file:
            torn = file.tell() > 0 and not self._path.read_bytes().endswith(b"\n")
            file.write(b"\n" * torn + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _seal(key: str, value: Any) -> str:
    return digest(key, json.dumps(value, sort_keys=True, separators=(",", ":")))[:16]

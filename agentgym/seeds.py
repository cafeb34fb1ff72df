"""Where every seed comes from: SHA-256 over named parts. No global random state anywhere."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed that depends on every part and its position, equal on every machine."""
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value in canonical form. Raises TypeError for what JSON can not hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

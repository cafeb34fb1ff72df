"""What may differ between two replays of a proof, removed before they are compared. Agents never see it done."""

from __future__ import annotations

import re

_UNKNOWN = re.compile(r"The variable (\S+) was not found")


def normalise(text: str) -> str:
    """Coq 8.16 calls an unknown name a variable or a reference, depending on what the process has done before."""
    return _UNKNOWN.sub(r"The reference \1 was not found", text)

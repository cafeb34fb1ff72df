"""MiniWobVerifier: what the page's first verdict is worth. It was read where neither agent nor page can write."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.web.miniwob.names import NEAR
from agentgym.errors import VerifierError
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

NEAR_ENOUGH = 0.9
"""What counts as solved on pages that pay by distance, where nobody hits the very pixel."""


class MiniWobVerifier(Verifier):
    """Scores "solved" in {0, 1} (full reward; on the pages in NEAR, at least NEAR_ENOUGH of it), "raw" in [-1, 1] (the page's
    own reward without discount for time), "discounted" (with it, by virtual time), "positive" (raw > 0: BrowserGym's success)."""

    name: ClassVar[str] = "miniwob"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        try:
            verdict = json.loads(evidence.artefacts.get("verdict", "null")) or {}
            raw, discounted = (_number(verdict.get(key, 0)) for key in ("raw", "discounted"))
        except (ValueError, AttributeError, TypeError) as error:
            raise VerifierError(f"the artefacts of {evidence.task.id} are broken: {error}") from None
        needed = NEAR_ENOUGH if evidence.task.payload["page"] in NEAR else 1.0 - 1e-6  # pages add up thirds
        reason = f"the page says {raw:g}" if verdict else f"the page gave no verdict ({evidence.end})"
        if verdict.get("reason"):
            reason += f": {verdict['reason'][:200]}"
        return [
            Score("solved", float(raw >= needed), reason=reason),
            Score("raw", raw),
            Score("discounted", discounted),
            Score("positive", float(raw > 0)),
        ]


def _number(value: object) -> float:
    """A page's arithmetic may end in NaN, which is no reward."""
    number = float(value)  # type: ignore[arg-type]
    return max(-1.0, min(1.0, number)) if math.isfinite(number) else 0.0

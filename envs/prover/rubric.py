"""How a proof is paid. Numbers only, all ours.

Gated (G-RA): what steps earn counts only if the proof was verified.  Errors cost a little, so that of two proofs the one
found with fewer is worth more; in 100 turns they can not take back half of what the proof is worth.
"""

from __future__ import annotations

from agentgym.rewards import Channel, Rubric


def rubric(gated: bool = True) -> Rubric:
    """The channels of an episode. `closed`: a step left fewer goals; `errors`: a step that Coq refused."""
    return Rubric(
        (
            Channel("proved", "outcome", priority=2, threshold=0.0 if gated else None),
            Channel("closed", "process", weight=0.02, priority=1, most=5),
            Channel("errors", "process", weight=-0.004, priority=1),
            Channel("tactics", "metric", reduce="sum"),
            Channel("sentences", "metric"),
            Channel("characters", "metric"),
        )
    )

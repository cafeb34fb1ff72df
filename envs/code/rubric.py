"""How an episode of writing code is paid. Numbers only; who gives the scores is elsewhere. All of them are ours.

Gated (G-RA): the process channels count only if the outcome is above 0.  What the outcome is worth is a verifier's
business; `success` is its "solved".
"""

from __future__ import annotations

from agentgym.rewards import Channel, Rubric


def rubric(*metrics: str, gated: bool = True, process_weight: float = 1.0) -> Rubric:
    """The channels of an episode; `metrics` are recorded and not paid."""
    return Rubric(
        (
            Channel("outcome", "outcome", priority=2, threshold=0.0 if gated else None),
            Channel("format", "process", weight=0.02 * process_weight, priority=1, most=5),
            Channel("edit", "process", weight=0.05 * process_weight, priority=1, most=2),
            Channel("solved", "metric"),
            *(Channel(name, "metric") for name in metrics),
        ),
        success="solved",
    )

"""How an episode of software repair is paid. Numbers only; who gives the scores is elsewhere.

The outcome has four ordered classes: not submitted, submitted without a change, a patch that fails the tests, a patch
that passes them.  Gated (G-RA), process scores count only if the outcome is above 0: a real patch was submitted.  All that an episode can
earn by them is less than what lies between two classes, however long it goes on.
The class values and weights are ours; the paper's are not known to us.
"""

from __future__ import annotations

from agentgym.rewards import Channel, Rubric

OUTCOME_VALUES = (0.0, 0.0, 1.0, 2.0)
"""What the four classes are worth unless told: no submission, empty patch, tests fail, tests pass."""


def rubric(gated: bool = True, process_weight: float = 1.0) -> Rubric:
    """The channels of an episode. `gated=False` is direct accumulation (D-RA), the baseline that invites farming."""
    return Rubric(
        (
            Channel("outcome", "outcome", priority=2, threshold=0.0 if gated else None),
            Channel("format", "process", weight=0.02 * process_weight, priority=1, most=10),
            Channel("edit", "process", weight=0.05 * process_weight, priority=1, most=5),
            Channel("file", "process", weight=0.10 * process_weight, priority=1),
            Channel("resolved", "metric"),
            Channel("class", "metric"),
            Channel("completion", "metric"),
            Channel("modification", "metric"),
            Channel("tampering", "metric"),
            Channel("similarity", "metric"),
            Channel("line_similarity", "metric"),
        ),
        success="resolved",
    )

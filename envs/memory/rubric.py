"""How an episode of keeping a memory is paid. Numbers only; who gives the scores is `verifier.py`. Ours, but for `published`.

    total = format * (quality + 0.05 * compact),   compact = quality * (1 - size / budget)

Everything multiplies quality: no call, no duplicate and no empty memory earns anything by itself.
"""

from __future__ import annotations

from agentgym.rewards import Channel, Rubric

METRICS = (
    *("accuracy", "em", "f1", "locomo_f1", "leaked", "size", "size_share"),
    *("recall", "precision", "stale"),
)


def rubric(published: bool = False, compact: float = 0.05) -> Rubric:
    """The channels of an episode. published: pay Mem-alpha's formula (mean over chunks) instead of ours."""
    metrics = (*METRICS, *(("compact", "format", "call", "typed") if published else ("mem_alpha", "call", "typed")))
    paid = (
        (Channel("quality", "metric"), Channel("mem_alpha", "outcome"))
        if published
        else (
            Channel("quality", "outcome", priority=1, threshold=0.0),
            Channel("format", "factor", priority=1),
            Channel("compact", "process", weight=compact),
        )
    )
    return Rubric((*paid, *(Channel(name, "metric", reduce="mean") for name in metrics)), success="quality")

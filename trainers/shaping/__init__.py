"""Reward shaping that needs the trajectory, its group or the batch: trajectories to one reward a turn. No torch.

`shaper(name, **options)` is what `AgentGRPOTrainer(shape=...)` takes.  What one episode decides alone is a `Rubric`
(`agentgym.rewards`): gated and direct accumulation are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentgym.trainers.names import choose
from agentgym.trainers.shaping.confidence import lens
from agentgym.trainers.shaping.consensus import gui_rcpo, ttrl, ttrv
from agentgym.trainers.shaping.effort import RouterR1, rlev, wmact
from agentgym.trainers.shaping.lengths import grpo_lambda, kimi, laser, laser_d, overlong
from agentgym.trainers.shaping.terms import Shape

SHAPERS: dict[str, Callable[..., list[list[float]]]] = {
    "laser": laser,
    "laser_d": laser_d,
    "kimi": kimi,
    "grpo_lambda": grpo_lambda,
    "overlong": overlong,
    "wmact": wmact,
    "rlev": rlev,
    "lens": lens,
    "ttrl": ttrl,
    "ttrv": ttrv,
    "gui_rcpo": gui_rcpo,
}
STATEFUL: dict[str, Callable[..., Shape]] = {"router_r1": RouterR1}

__all__ = ["SHAPERS", "STATEFUL", "RouterR1", "Shape", "shaper"]


def shaper(name: str, **options: Any) -> Shape:
    """The shaper called `name`, with its options bound. Raises UsageError naming those that there are.

    Those of `STATEFUL` remember batches: they are made anew at each call, one a run.
    """
    if name in STATEFUL:
        return choose("reward shaper", STATEFUL, name, options)()
    return choose("reward shaper", SHAPERS | STATEFUL, name, options)  # type: ignore[arg-type]

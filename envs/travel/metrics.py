"""TravelPlanner's metrics over episodes, from the counts that the verifier leaves. Pure.

Of each task the last stage counts.  Micro is over all checks, macro over plans that pass all; a task without a plan
fails everything, and failed episodes are not counted at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from agentgym.envs.travel.commonsense import CHECKS
from agentgym.errors import UsageError
from agentgym.types import Trajectory


def travelplanner(trajectories: Iterable[Trajectory]) -> dict[str, float]:
    """delivery rate, commonsense and hard (micro, macro), final pass rate; and ours: trajectory, grounded, solved.

    Raises UsageError without a scored episode of this environment.
    """
    rows = [
        {channel.name: channel.value or 0.0 for channel in trajectory.record.channels}
        for trajectory in trajectories
        if trajectory.record is not None
    ]
    if not rows or any("tp_final" not in row for row in rows):
        raise UsageError("there are no scored travel episodes to count")
    asked = sum(row["tp_hard_asked"] for row in rows)
    return {
        "episodes": float(len(rows)),
        "delivery": fmean(row["tp_delivered"] for row in rows),
        "commonsense_micro": sum(row["tp_commonsense"] for row in rows) / (len(CHECKS) * len(rows)),
        "commonsense_macro": fmean(row["tp_commonsense"] == len(CHECKS) for row in rows),
        "hard_micro": sum(row["tp_hard_passed"] for row in rows) / asked if asked else 0.0,
        "hard_macro": fmean(row["tp_hard_passed"] == row["tp_hard_asked"] for row in rows),
        "final_pass": fmean(row["tp_final"] for row in rows),
        **{name: fmean(row[name] for row in rows) for name in ("trajectory", "grounded", "solved")},
    }

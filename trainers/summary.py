"""Numbers that say how a batch of episodes went, for logs. Pure; intervals and reports are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from agentgym.types import Trajectory


def summary(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Shares and means over the batch; those of rewards are over scored episodes.

    Watch `outcome` beside `reward`: a reward that rises while the outcome falls is process farming (the collapse that
    gates prevent).  `gate_open` is the share in which no channel was shut.
    """
    records = [trajectory.record for trajectory in trajectories if trajectory.record is not None]
    total = max(len(trajectories), 1)
    channels: dict[str, list[float]] = {}
    outcome = []
    for record in records:
        for channel in record.channels:
            if channel.value is not None:
                channels.setdefault(channel.name, []).append(channel.value)
        outcome.append(sum(channel.paid for channel in record.channels if channel.kind == "outcome"))
    return {
        "reward": _mean(record.total for record in records),
        "outcome": _mean(outcome),
        "success": _mean(record.success for record in records),
        "gate_open": _mean(all(channel.gate == "open" for channel in record.channels) for record in records),
        "turns": _mean(len(trajectory.turns) for trajectory in trajectories),
        "failed": sum(trajectory.status == "failed" for trajectory in trajectories) / total,
        "masked": sum(trajectory.status == "masked" for trajectory in trajectories) / total,
        "truncated": sum(trajectory.truncated for trajectory in trajectories) / total,
        **{f"channels/{name}": fmean(values) for name, values in channels.items()},
    }


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return fmean(numbers) if numbers else 0.0

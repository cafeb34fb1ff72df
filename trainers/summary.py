"""Numbers that say how a batch of episodes went, for logs. Pure; intervals and reports are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from statistics import fmean, pstdev

from agentgym.trainers.advantages.batch import Batch
from agentgym.types import Trajectory


def summary(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Shares and means over the batch; those of rewards are over scored episodes.

    Watch `outcome` beside `reward`: a reward that rises while the outcome falls is process farming (the collapse that
    gates prevent).  `gate_open` is the share in which no channel was shut; `gates/NAME` that in which NAME was not.
    """
    records = [trajectory.record for trajectory in trajectories if trajectory.record is not None]
    total = max(len(trajectories), 1)
    channels: dict[str, list[float]] = {}
    gates: dict[str, list[float]] = {}
    outcome = []
    for record in records:
        for channel in record.channels:
            gates.setdefault(channel.name, []).append(channel.gate == "open")
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
        **{f"gates/{name}": fmean(values) for name, values in gates.items()},
    }


def statistics_of(trajectories: Sequence[Trajectory], batch: Batch) -> dict[str, float]:
    """What controllers may read, of a batch in which something counts: the summary, each channel's mean value by its
    name, `proxy` (the reward that is trained on) and `truth` (the verified outcome)."""
    said = summary(trajectories)
    scored = [index for index, valid in enumerate(batch.valid) if valid]
    for name, turns in (batch.channels or {}).items():
        said[name] = fmean(fsum(turns[index]) for index in scored)
    totals = batch.totals
    return said | {"proxy": fmean(totals[index] for index in scored), "truth": said["success"]}


def spread_of(advantages: Sequence[Sequence[float]], batch: Batch) -> dict[str, float]:
    """Advantages over the sampled tokens of trajectories that count: mean, deviation, the largest by size, and the
    share of trajectories that teach nothing, all of theirs being 0."""
    own = [
        [number for number, turn in zip(numbers, turns, strict=True) if turn >= 0]
        for numbers, turns, valid in zip(advantages, batch.turns, batch.valid, strict=True)
        if valid
    ]
    numbers = [number for each in own for number in each]
    return {
        "advantage_mean": _mean(numbers),
        "advantage_std": pstdev(numbers) if numbers else 0.0,
        "advantage_max": max(map(abs, numbers), default=0.0),
        "silent_share": _mean(not any(each) for each in own),
    }


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return fmean(numbers) if numbers else 0.0

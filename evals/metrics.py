"""Numbers from trajectories: rates with intervals, pass@k, channels, reasons for ending. No files, no printing.

Tasks, not episodes, are the independent units: with several samples a task, intervals are over task means.  Failed and
masked episodes are counted and never enter a rate.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import NormalDist, fmean

from pydantic import BaseModel, ConfigDict

from agentgym.errors import UsageError
from agentgym.types import Trajectory


class Rate(BaseModel):
    """A mean in [0, 1] over `n` independent units, with its 95% Wilson interval."""

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float
    n: int


class Channel(BaseModel):
    """One reward channel over the scored episodes. `closed`: in how many its gate was shut."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    paid: float
    n: int
    closed: int


class Summary(BaseModel):
    """What a set of trajectories came to. `success` is None where nothing was scored."""

    model_config = ConfigDict(frozen=True)

    episodes: int
    tasks: int
    scored: int
    masked: int
    failed: int
    success: Rate | None
    reward: float | None
    turns: float | None
    call_errors: float | None
    pass_at: dict[int, float]
    channels: dict[str, Channel]
    ends: dict[str, int]


def wilson(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a rate. `successes` may be fractional. Raises UsageError unless 0 <= it <= n > 0."""
    if n <= 0 or not 0 <= successes <= n:
        raise UsageError(f"no rate of {successes} successes in {n}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def rate(values: Sequence[float], confidence: float = 0.95) -> Rate | None:
    """The mean of values in [0, 1] with its interval; None for no values."""
    if not values:
        return None
    low, high = wilson(math.fsum(values), len(values), confidence)
    return Rate(mean=fmean(values), low=low, high=high, n=len(values))


def pass_at_k(n: int, successes: int, k: int) -> float:
    """The chance that at least one of `k` samples drawn from `n` succeeds: unbiased (Chen et al., 2021)."""
    if not 0 < k <= n:
        raise UsageError(f"pass@{k} needs at least {k} samples of a task, there are {n}")
    return 1.0 - math.comb(n - successes, k) / math.comb(n, k)


def success_by_task(trajectories: Iterable[Trajectory]) -> dict[str, list[float]]:
    """Verified success of every scored episode, by task."""
    by_task: dict[str, list[float]] = defaultdict(list)
    for trajectory in trajectories:
        if trajectory.success is not None:
            by_task[trajectory.key.task].append(trajectory.success)
    return dict(by_task)


def summarise(trajectories: Iterable[Trajectory]) -> Summary:
    """Everything at once."""
    episodes = list(trajectories)
    scored = [trajectory for trajectory in episodes if trajectory.record is not None]
    by_task = success_by_task(scored)
    results = [result for trajectory in episodes for turn in trajectory.turns for result in turn.info.calls]
    return Summary(
        episodes=len(episodes),
        tasks=len({trajectory.key.task for trajectory in episodes}),
        scored=len(scored),
        masked=sum(trajectory.status == "masked" for trajectory in episodes),
        failed=sum(trajectory.status == "failed" for trajectory in episodes),
        success=rate([fmean(values) for values in by_task.values()]),
        reward=_mean([trajectory.record.total for trajectory in scored if trajectory.record]),
        turns=_mean([len(trajectory.turns) for trajectory in scored]),
        call_errors=_mean([not result.ok for result in results]),
        pass_at=_pass_at(by_task),
        channels=_channels(scored),
        ends=dict(Counter(trajectory.end for trajectory in episodes if trajectory.end).most_common()),
    )


def _pass_at(by_task: dict[str, list[float]]) -> dict[int, float]:
    """pass@1, 2, 4, … as far as every task has samples; an episode passes with success 1."""
    samples = min(map(len, by_task.values()), default=0)
    ks = [2**power for power in range(samples.bit_length()) if 2**power <= samples]
    counts = [(len(values), sum(value >= 1 for value in values)) for values in by_task.values()]
    return {k: fmean(pass_at_k(n, passed, k) for n, passed in counts) for k in ks}


def _channels(scored: Sequence[Trajectory]) -> dict[str, Channel]:
    by_name = defaultdict(list)
    for trajectory in scored:
        for channel in trajectory.record.channels if trajectory.record else ():
            by_name[channel.name].append(channel)
    return {
        name: Channel(
            mean=_mean([record.value for record in records if record.value is not None]),
            paid=fmean(record.paid for record in records),
            n=len(records),
            closed=sum(record.gate == "closed" for record in records),
        )
        for name, records in by_name.items()
    }


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None

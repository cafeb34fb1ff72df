"""What the success of scripted policies says about an environment. Pure: trajectories in, sentences out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from agentgym.envspec import EnvSpec
from agentgym.testing.hostile import contract
from agentgym.testing.report import Tally
from agentgym.types import Trajectory

REQUIRED = ("oracle", "noop", "random")
_Z95 = 1.645
Played = Mapping[str, Sequence[Trajectory]]


def successes(played: Played, name: str) -> list[float]:
    """Verified success of the scored episodes of a policy."""
    return [trajectory.success for trajectory in played.get(name, ()) if trajectory.success is not None]


def cheats(spec: EnvSpec) -> list[str]:
    return [name for name in spec.policies if name.startswith("cheat/")]


def problems(spec: EnvSpec, played: Played) -> Iterator[str]:
    """Everything that is wrong with the environment, as far as its policies' episodes tell."""
    yield from _missing(spec)
    for name, episodes in played.items():
        for trajectory in episodes:
            yield from _unscored(name, trajectory)
            yield from _broken_contract(spec, trajectory)
    for trajectory in played.get("oracle", ()):
        if trajectory.success is not None and trajectory.success < 1:
            yield f"oracle has success {trajectory.success:g} on {trajectory.key.task}{_reasons(trajectory)}"
    for name in ["noop", *cheats(spec)]:
        for trajectory in played.get(name, ()):
            if trajectory.success:
                yield f"{name} has success {trajectory.success:g} on {trajectory.key.task}{_reasons(trajectory)}"
    yield from _luck(spec, Tally.of(successes(played, "random")))


def _missing(spec: EnvSpec) -> Iterator[str]:
    for name in REQUIRED:
        if name not in spec.policies:
            yield f"the spec has no {name!r} policy"
    if not cheats(spec):
        yield "the spec has no 'cheat/...' policy: say how it could be cheated, and show that it can not"


def _unscored(name: str, trajectory: Trajectory) -> Iterator[str]:
    if trajectory.status == "failed":
        yield f"{name} on {trajectory.key.task} failed (not the agent's doing): {trajectory.cause}"
    elif trajectory.status == "masked" and name == "oracle":
        yield f"oracle on {trajectory.key.task} was cut off: {trajectory.end}"


def _broken_contract(spec: EnvSpec, trajectory: Trajectory) -> Iterator[str]:
    channels = {channel.name for channel in spec.rubric.channels}
    for score in trajectory.scores:
        if score.channel not in channels:
            yield f"a score on channel {score.channel!r}, which the rubric lacks, counts for nothing"
    for turn in trajectory.turns:
        yield from contract(spec, turn.observation)


def _luck(spec: EnvSpec, random: Tally) -> Iterator[str]:
    """Random may be above chance by 1.645 standard errors of a binomial: by luck alone, one time in twenty."""
    if random.mean is None:
        return
    chance = spec.chance
    if random.mean > chance + _Z95 * math.sqrt(chance * (1 - chance) / random.n):
        yield f"random has a mean success of {random.mean:.3g} over {random.n} episodes, above the declared chance of {chance:g}"


def _reasons(trajectory: Trajectory) -> str:
    channels = trajectory.record.channels if trajectory.record else []
    said = "; ".join(reason for channel in channels for reason in channel.reasons)
    return f": {said[:300]}" if said else ""

"""Advantages from a value model: GAE over sampled tokens only, its relatives, and what the critic is to learn.

What the environment wrote is no action: the walk back carries value and running sum over it unchanged, so that values
there do not matter and nothing decays across a long tool reply.  A turn's reward is paid at its last sampled token;
that of a turn without tokens at the last one before it (the first, if there is none).  After the last token V is 0, also
where a limit cut the episode.  These need no group: a trajectory alone in its group counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agentgym.trainers.advantages.batch import Batch, needed
from agentgym.trainers.advantages.whitening import whitened
from agentgym.trainers.names import choose


def gae(batch: Batch, *, gamma: float = 1.0, lam: float = 0.95, whiten: bool = True) -> list[list[float]]:
    """Generalised advantage estimation (arXiv 1506.02438); gamma and lambda as in TRL's PPO. Needs `values`."""
    values = needed(batch.values, "gae", "values")
    return _finish(batch, [_of_tokens(batch, values, i, gamma, lam) for i in range(len(values))], whiten)


def vc_ppo(batch: Batch, *, gamma: float = 1.0, lam: float = 0.95, whiten: bool = True) -> list[list[float]]:
    """The policy's half of VC-PPO (arXiv 2503.01491): GAE; the critic's lambda is apart, see `monte_carlo`."""
    return gae(batch, gamma=gamma, lam=lam, whiten=whiten)


def vapo(
    batch: Batch, *, gamma: float = 1.0, alpha: float = 0.05, floor: float = 0.0, whiten: bool = True
) -> list[list[float]]:
    """GAE with VAPO's length-adaptive lambda (arXiv 2504.05118): the longer the trajectory, the nearer to 1.

    Length counts the sampled tokens of all its turns: whoever counts turns must choose another alpha.
    """
    values = needed(batch.values, "vapo", "values")
    lams = [vapo_lambda(sum(turn >= 0 for turn in turns), alpha=alpha, floor=floor) for turns in batch.turns]
    return _finish(batch, [_of_tokens(batch, values, i, gamma, lam) for i, lam in enumerate(lams)], whiten)


def vapo_lambda(length: int, *, alpha: float = 0.05, floor: float = 0.0) -> float:
    """1 - 1 / (alpha * length), not below `floor`: up to a length of 1 / alpha the formula alone gives 0 or less."""
    return max(floor, 1 - 1 / (alpha * length)) if length else floor


def turn_gae(batch: Batch, *, gamma: float = 1.0, lam: float = 0.95, whiten: bool = True) -> list[list[float]]:
    """A turn is one action (Turn-PPO, arXiv 2512.17008): V where it begins, GAE over turns, given to all its tokens.

    With lam=0 and values from continuations of each state it is VinePPO (arXiv 2410.01679).
    """
    values = needed(batch.values, "turn_gae", "values")
    return _finish(batch, [_of_turns(batch, values, i, gamma, lam) for i in range(len(values))], whiten)


def lambda_returns(batch: Batch, *, gamma: float = 1.0, lam: float = 0.95) -> list[list[float]]:
    """What GAE's critic is to learn: A + V at each sampled token, A not whitened; 0 at the others."""
    values = needed(batch.values, "lambda_returns", "values")
    return _plus_values(batch, gae(batch, gamma=gamma, lam=lam, whiten=False), values)


def monte_carlo(batch: Batch, *, gamma: float = 1.0, lam: float = 1.0) -> list[list[float]]:
    """What the critic of VC-PPO and VAPO is to learn: the return itself (lambda 1), whatever the policy's lambda."""
    return lambda_returns(batch, gamma=gamma, lam=lam)


def turn_lambda_returns(batch: Batch, *, gamma: float = 1.0, lam: float = 0.95) -> list[list[float]]:
    """What turn_gae's critic is to learn at the first sampled token of each turn; the turn's other tokens repeat it."""
    values = needed(batch.values, "turn_lambda_returns", "values")
    starts = [[own[_start(turns, turn)] if turn >= 0 else 0.0 for turn in turns] for own, turns in _both(batch, values)]
    return _plus_values(batch, turn_gae(batch, gamma=gamma, lam=lam, whiten=False), starts)


Targets = Callable[[Batch], list[list[float]]]
TARGETS: dict[str, Targets] = {
    "gae": lambda_returns,
    "vc_ppo": monte_carlo,
    "vapo": monte_carlo,
    "turn_gae": turn_lambda_returns,
}


def targets(name: str, **options: Any) -> Targets:
    """What the critic learns under the estimator called `name`, with options bound. Raises UsageError as `estimator`."""
    return choose("critic target", TARGETS, name, options)


def walk(rewards: Sequence[float], values: Sequence[float], gamma: float, lam: float) -> list[float]:
    """GAE over steps that follow each other, V after the last one 0."""
    out = [0.0] * len(rewards)
    following = running = 0.0
    for step in reversed(range(len(rewards))):
        running = rewards[step] + gamma * following - values[step] + gamma * lam * running
        following = values[step]
        out[step] = running
    return out


def _of_tokens(batch: Batch, values: Sequence[Sequence[float]], i: int, gamma: float, lam: float) -> list[float]:
    turns = batch.turns[i]
    places = [t for t, turn in enumerate(turns) if turn >= 0]
    if not batch.valid[i] or not places:
        return [0.0] * len(turns)
    ends = {turn: step for step, turn in enumerate(turns[t] for t in places)}  # the last token of each turn
    steps = walk(_paid(batch.rewards[i], ends, len(places)), [values[i][t] for t in places], gamma, lam)
    out = [0.0] * len(turns)
    for t, number in zip(places, steps, strict=True):
        out[t] = number
    return out


def _of_turns(batch: Batch, values: Sequence[Sequence[float]], i: int, gamma: float, lam: float) -> list[float]:
    turns = batch.turns[i]
    said = sorted({turn for turn in turns if turn >= 0})
    if not batch.valid[i] or not said:
        return [0.0] * len(turns)
    order = {turn: step for step, turn in enumerate(said)}
    at_starts = [values[i][_start(turns, turn)] for turn in said]
    steps = walk(_paid(batch.rewards[i], order, len(said)), at_starts, gamma, lam)
    return [steps[order[turn]] if turn >= 0 else 0.0 for turn in turns]


def _paid(rewards: Sequence[float], ends: dict[int, int], count: int) -> list[float]:
    """Each turn's reward at the step that ends it; a turn without one pays at the last step before it."""
    out = [0.0] * count
    step = 0
    for turn, reward in enumerate(rewards):
        step = ends.get(turn, step)
        out[step] += reward
    return out


def _start(turns: Sequence[int], turn: int) -> int:
    return list(turns).index(turn)


def _both(batch: Batch, values: Sequence[Sequence[float]]) -> list[tuple[Sequence[float], Sequence[int]]]:
    return list(zip(values, batch.turns, strict=True))


def _plus_values(batch: Batch, advantages: list[list[float]], values: Sequence[Sequence[float]]) -> list[list[float]]:
    made = []
    for numbers, own, turns, valid in zip(advantages, values, batch.turns, batch.valid, strict=True):
        pairs = zip(numbers, own, turns, strict=True) if valid else [(0.0, 0.0, -1)] * len(turns)
        made.append([number + value if turn >= 0 else 0.0 for number, value, turn in pairs])
    return made


def _finish(batch: Batch, advantages: list[list[float]], whiten: bool) -> list[list[float]]:
    members = [index for index, valid in enumerate(batch.valid) if valid]
    return whitened(advantages, batch.turns, members) if whiten else advantages

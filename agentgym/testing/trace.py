"""Trace: what an episode showed, in a form that two runs of it can be compared in. Only `timing` is left out.

A stored trajectory, a hand-driven replay and a fork all become traces.  Under `determinism="normalised"` every text
goes through the spec's normaliser first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.seeds import content_hash
from agentgym.tasks import Task
from agentgym.types import Action, Blob, RewardRecord, Trajectory, Turn
from agentgym.verdict import judge
from agentgym.verifier import Evidence

Normalise = Callable[[str], str] | None


@dataclass(slots=True)
class Trace:
    """`states` has a hash of the world after the reset and after each step (None: not known here).

    `rewards` are those that `step` returned to a hand-driven loop; they are checked, not compared.
    """

    turns: list[Any]
    final: Any
    record: Any = None
    states: list[str | None] | None = None
    task_hash: str = ""
    rewards: list[float] = field(default_factory=list)

    def difference(self, other: Trace) -> str | None:
        """The first thing in which the two differ, said in a few words; None if they are the same."""
        if self.task_hash != other.task_hash:
            return "the task itself differs (its hash is another one in the other process)"
        for index, (mine, theirs) in enumerate(zip(self.turns, other.turns, strict=False)):
            if said := _first_difference(mine, theirs):
                return f"turn {index}: {said}"
        if len(self.turns) != len(other.turns):
            return f"{len(self.turns)} turns against {len(other.turns)}"
        if said := _first_difference(self.final, other.final):
            return f"last observation: {said}"
        if self.states is not None and other.states is not None:
            for index, (mine, theirs) in enumerate(zip(self.states, other.states, strict=False)):
                if mine != theirs:
                    return f"state hash after {index} steps: {mine} against {theirs}"
        if self.record is not None and other.record is not None:
            return said if (said := _first_difference(self.record, other.record)) is None else f"record: {said}"
        return None


def normaliser(spec: EnvSpec) -> Normalise:
    """What texts go through before they are compared; None under determinism "bytes"."""
    return spec.normalise if spec.determinism == "normalised" else None


def of_trajectory(trajectory: Trajectory, normalise: Normalise) -> Trace:
    """The trace of a stored episode."""
    final, record = trajectory.final, trajectory.record
    return Trace(
        [_turn(turn, normalise) for turn in trajectory.turns],
        plain(final, normalise),
        plain(record, normalise),
        task_hash=trajectory.task_hash,
    )


async def drive(
    env: Environment[Any], task: Task, seed: int, actions: Sequence[Action], *, end: str = "", masked: bool = False
) -> Trace:
    """Play `actions` by hand in `env` (made with its verdict on) and close it.

    An episode that the policy ended (a full context) is judged with the end reason it was stored with.
    """
    try:
        await env.reset(task=task, seed=seed)
        states = [await state_of(env)]
        rewards = await walk(env, actions, states)
        if env.ended is None and end and not masked:
            return of_env(env, states, [], await _judge(env, end))
        return of_env(env, states, rewards)
    finally:
        await env.close()


async def walk(env: Environment[Any], actions: Sequence[Action], states: list[str | None]) -> list[float]:
    """Step through `actions` until they or the episode end, noting states; the rewards that came back."""
    rewards = []
    for action in actions:
        _, reward, terminated, truncated, _ = await env.step(action)
        rewards.append(reward)
        if terminated or truncated:
            break  # the world may be closed: it has no state any more
        states.append(await state_of(env))
    return rewards


def of_env(
    env: Environment[Any], states: list[str | None], rewards: list[float], record: RewardRecord | None = None
) -> Trace:
    """The trace of what `env` has played so far."""
    normalise = normaliser(env.spec)
    if record is None and env.turns:
        record = env.turns[-1].info.record
    turns = [_turn(turn, normalise) for turn in env.turns]
    return Trace(turns, plain(env.observation, normalise), plain(record, normalise), states, env.task.hash, rewards)


async def state_of(env: Environment[Any]) -> str | None:
    """A hash of the world that is blind to what the spec normalises."""
    normalise = normaliser(env.spec)
    if normalise is None:
        return await env.state_hash()
    state = await env.state()
    return None if state is None else content_hash(plain(state, normalise))


def plain(value: Any, normalise: Normalise = None) -> Any:
    """`value` as JSON-able data, with texts normalised and binary content as its SHA-256."""
    if isinstance(value, str):
        return value if normalise is None else normalise(value)
    if isinstance(value, Blob):
        return {"media_type": value.media_type, "sha256": value.digest or hashlib.sha256(value.data).hexdigest()}
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {str(key): plain(item, normalise) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, normalise) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name), normalise) for each in fields(value)}
    return value


async def _judge(env: Environment[Any], end: str) -> RewardRecord:
    evidence = Evidence(env.task, await env.artefacts(), env.turns, end)
    await env.close()
    return (await judge(evidence, env.spec.verifier, env.spec.rubric, env.runtime)).record


def _turn(turn: Turn, normalise: Normalise) -> dict[str, Any]:
    info = turn.info
    shown = [turn.observation, turn.reward, info.scores, info.calls, info.effective, info.end, info.data]
    names = ["observation", "reward", "scores", "calls", "effective", "end", "data"]
    return dict(zip(names, plain(shown, normalise), strict=True))


def _first_difference(mine: Any, theirs: Any, where: str = "") -> str | None:
    if isinstance(mine, dict) and isinstance(theirs, dict) and mine.keys() == theirs.keys():
        pairs = [(f"{where}.{key}" if where else key, mine[key], theirs[key]) for key in mine]
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = [(f"{where}[{index}]", a, b) for index, (a, b) in enumerate(zip(mine, theirs, strict=True))]
    else:
        return None if mine == theirs else f"{where}: {_clip(mine, theirs)} against {_clip(theirs, mine)}"
    return next((said for name, a, b in pairs if (said := _first_difference(a, b, name))), None)


def _clip(value: Any, other: Any, width: int = 80) -> str:
    """The part of `value` around the place where `other` begins to differ."""
    text, against = (item if isinstance(item, str) else json.dumps(item, default=repr) for item in (value, other))
    start = next(
        (i for i, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), min(len(text), len(against))
    )
    start = max(0, start - 20)
    return repr(("…" if start else "") + text[start : start + width])

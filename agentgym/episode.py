"""Episode: one environment driven by policies, turn by turn, to a Trajectory. Search forks episodes, not environments.

It keeps each actor's context (messages and tokens), asks the policy, steps the environment, and at the end closes the
box before it has the verdict given.  Many episodes at once, retries and stores are `rollout`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from agentgym.environment import Environment
from agentgym.errors import LimitExceeded, PolicyError, SandboxError, UsageError
from agentgym.policy import Context, Policy
from agentgym.rewards import Rubric
from agentgym.seeds import derive_seed
from agentgym.state import StateRef
from agentgym.tasks import Task
from agentgym.types import Action, EpisodeKey, Info, Message, Observation, Trajectory, Turn
from agentgym.verdict import judge
from agentgym.verifier import Evidence, Verifier


@dataclass(slots=True)
class _Thread:
    """One actor's context so far: `new` messages have not been in a model call yet."""

    messages: list[Message] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    new: int = 0

    def hear(self, observation: Observation) -> None:
        if observation.fresh:
            self.messages, self.tokens, self.new = [], [], 0
        self.messages.extend(observation.messages)

    def say(self, action: Action) -> None:
        self.messages.append(action.message())
        self.new = len(self.messages)
        if (sample := action.sample) is not None:
            self.tokens = self.tokens[: sample.keep] + sample.prompt_ids + sample.ids

    def copy(self) -> _Thread:
        return _Thread(list(self.messages), list(self.tokens), self.new)


class Episode:
    """Made by `start`; then `turn` until it says that the episode is over; then `finish`."""

    def __init__(self, env: Environment[Any], policies: Mapping[str, Policy], key: EpisodeKey, seed: int) -> None:
        self.env = env
        self.policies = policies
        self.key = key
        self.seed = seed
        self.parent: str | None = None
        self.end: str | None = None
        self.truncated = False
        self.artefacts: dict[str, str] = {}
        self.hash_states = False
        self.start_hash: str | None = None
        self._threads: dict[str, _Thread] = {}
        self._started = perf_counter()
        self._last_action: Action | None = None

    @classmethod
    async def start(
        cls,
        env: Environment[Any],
        policies: Policy | Mapping[str, Policy],
        task: Task,
        key: EpisodeKey | None = None,
        *,
        seed: int = 0,
        hash_states: bool = False,
    ) -> Episode:
        """Reset `env` (made with verdict=False) for `task`. `seed` is the run's: all other seeds come from it.

        hash_states: note the hash of the state that each turn begins in, which may need I/O in the box.

        Raises what `Environment.reset` raises, and UsageError if an actor has no policy.
        """
        by_actor = policies if isinstance(policies, Mapping) else dict.fromkeys(env.spec.actors, policies)
        if missing := set(env.spec.actors) - set(by_actor):
            raise UsageError(f"{env.spec.id} has actors without a policy: {', '.join(sorted(missing))}")
        episode = cls(env, by_actor, key or EpisodeKey("run", task.id), seed)
        observation, _ = await env.reset(task=task, seed=derive_seed("environment", seed, task.id))
        if hash_states:
            episode.hash_states, episode.start_hash = True, await env.state_hash()
        episode._hear(observation)
        return episode

    @property
    def over(self) -> bool:
        return self.end is not None

    async def turn(self) -> bool:
        """One action and its step; True if the episode is over now.

        Raises PolicyError, SandboxError and UsageError; LimitExceeded of the policy truncates instead.
        """
        if self.over:
            raise UsageError("turn on an episode that is over: call finish")
        try:
            async with asyncio.timeout(self._time_left()) as clock:
                action = (await self.propose())[0]
        except LimitExceeded as limit:
            self.end, self.truncated = limit.reason, True
            return True
        except TimeoutError as error:
            if not clock.expired():
                raise PolicyError(f"policy timed out: {error}") from error
            self.end, self.truncated = "wall_time", True
            return True
        return await self.play(action)

    async def propose(self, n: int = 1) -> list[Action]:
        """`n` alternative actions of the policy whose turn it is; the episode does not move."""
        observation = self.env.observation
        policy = self.policies[observation.actor]
        thread = self._threads[observation.actor]
        spec = self.env.spec
        if spec.limits.tokens is not None and len(thread.tokens) >= spec.limits.tokens:
            raise LimitExceeded("context", f"{len(thread.tokens)} tokens, and {spec.limits.tokens} are allowed")
        names = observation.tools
        context = Context(
            messages=thread.messages,
            tools=[tool for name, tool in self.env.toolbox.items() if names is None or name in names],
            observation=observation,
            task=self.env.task if policy.privileged else self.env.task.public(),
            actor=observation.actor,
            turn=self.env.turn,
            seed=derive_seed("policy", self.seed, self.key.task, self.key.sample, self.env.turn),
            new=thread.new,
            tokens=thread.tokens,
            token_limit=spec.limits.tokens,
            revealed=await self.env.reveal() if policy.privileged else None,
        )
        async with self.env.runtime.model_calls:
            actions = await policy.act(context, n)
        if len(actions) != n:
            raise PolicyError(f"policy {policy.name!r} was asked for {n} actions and gave {len(actions)}")
        return actions

    async def play(self, action: Action) -> bool:
        """Step the environment with `action`; True if the episode is over now."""
        self._last_action = action
        self._threads[self.env.observation.actor].say(action)
        observation, _, terminated, truncated, info = await self.env.step(action)
        self._hear(observation)
        if terminated or truncated:
            self.end, self.truncated = self.env.ended, truncated
        elif self.hash_states:
            info.state_hash = await self.env.state_hash()
        return self.over

    async def snapshot(self) -> StateRef:
        return await self.env.snapshot()

    async def fork(self, sample: int) -> Episode:
        """A second episode from here on, as sample `sample` of the same task."""
        branch = Episode(await self.env.fork(), self.policies, replace(self.key, sample=sample), self.seed)
        branch.parent = f"{self.key.sample}@{self.env.turn}"
        branch._threads = {actor: thread.copy() for actor, thread in self._threads.items()}
        branch._started = self._started
        branch.hash_states, branch.start_hash = self.hash_states, self.start_hash
        for mine, replayed in zip(self.env.turns, branch.env.turns, strict=True):
            replayed.info.state_hash = mine.info.state_hash
        return branch

    async def finish(self, verifier: Verifier | None = None, rubric: Rubric | None = None) -> Trajectory:
        """Collect the artefacts, close the box, have the verdict given; the whole episode as a Trajectory.

        Raises SandboxError (the artefacts could not be had) and VerifierError (no verdict; `unverified` keeps what
        there is).
        """
        spec = self.env.spec
        self.artefacts = await self.env.artefacts()
        await self.env.close()
        if self.truncated and spec.masks(self.end or ""):
            return self.trajectory("masked")
        return await self._judged(verifier or spec.verifier, rubric or spec.rubric)

    async def lose(self, reason: str) -> Trajectory:
        """The agent broke its own box: score what is left of the episode, without artefacts."""
        self.end, self.truncated, self.artefacts = reason, False, {}
        if self._last_action is not None:
            info = Info(effective=False, end=reason)
            self.env.turns.append(Turn(self.env.observation, self._last_action, 0.0, info))
        await self.env.close()
        return await self._judged(self.env.spec.verifier, self.env.spec.rubric)

    async def failed(self, error: BaseException) -> Trajectory:
        """What there is of an episode that ended through no fault of the agent."""
        await self.env.close()
        return self.trajectory("failed", cause=f"{type(error).__name__}: {error}")

    def trajectory(self, status: Any, **more: Any) -> Trajectory:
        """The episode so far as a Trajectory, without a verdict."""
        env = self.env
        return Trajectory(
            key=self.key,
            spec=env.spec.id,
            spec_hash=env.spec.hash,
            task_hash=env.task.hash if env.task else "",
            seed=self.seed,
            group=self.key.task,
            turns=list(env.turns),
            status=status,
            end=self.end or "",
            truncated=self.truncated,
            answer=env.answer,
            final=env.observation,
            artefacts=self.artefacts,
            parent=self.parent,
            start_hash=self.start_hash,
            **more,
        )

    async def _judged(self, verifier: Verifier, rubric: Rubric) -> Trajectory:
        env = self.env
        evidence = Evidence(env.task, self.artefacts, env.turns, self.end or "")
        verdict = await judge(evidence, verifier, rubric, env.runtime)
        return self.trajectory("scored", scores=verdict.scores, record=verdict.record)

    def _hear(self, observation: Observation) -> None:
        self._threads.setdefault(observation.actor, _Thread()).hear(observation)

    def _time_left(self) -> float | None:
        limit = self.env.spec.limits.episode_s
        return None if limit is None else max(0.0, limit - (perf_counter() - self._started))


def is_ambiguous(error: BaseException) -> bool:
    """Whether nobody can tell if the box or the agent in it was at fault."""
    return isinstance(error, SandboxError) and error.fault == "ambiguous"

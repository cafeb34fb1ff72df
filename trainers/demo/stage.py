"""The stage of a demo run: environment, tasks in their three parts, engine, and ways to play on it. No learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentgym import registry
from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.policies.codec import Codec, CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.policy import Policy
from agentgym.rewards import Channel, Rubric
from agentgym.tasks import Task
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.expert import Fallible, given
from agentgym.trainers.rollouts import Engine, Play
from agentgym.types import Score, Trajectory
from agentgym.verifier import Evidence, Verifier


class Unjudged(Verifier):
    """Gives no verdict: for episodes that are only imitated, which need none."""

    name = "unjudged"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [Score("judged", 0.0)]


@dataclass(slots=True)
class Stage:
    """Made by `set_stage`. `rubric` of `spec` is the environment's own; `rewarded` pays as the config says."""

    config: DemoConfig
    engine: Engine
    spec: EnvSpec
    train: list[Task]
    validation: list[Task]
    held_out: list[Task]
    tokenizer: Any = field(default=None)

    @property
    def codec(self) -> Codec:
        return CompactCodec(self.tokenizer, given)

    @property
    def folder(self) -> Path:
        return self.config.folder

    def play(
        self, policy: Policy, tasks: Sequence[Task], group: int = 1, name: str = "", **more: Any
    ) -> list[Trajectory]:
        """Episodes of a policy; with a `name` they are stored in the run's folder under it."""
        play = Play(
            more.get("spec", self.spec),
            policy,
            self.engine,
            seed=self.config.seed,
            concurrency=self.config.concurrency,
            folder=self.folder / "episodes" if name else None,
        )
        return play(tasks, group, name or policy.name)

    def policy(self, model: Any, name: str, temperature: float = 1.0) -> LocalPolicy:
        return LocalPolicy(
            model, self.codec, name=name, temperature=temperature, max_new_tokens=self.config.max_new_tokens
        )

    def taught(self) -> list[Trajectory]:
        """Episodes of the fallible expert on the train tasks, without verdicts."""
        expert = Fallible(self.spec.policies["oracle"](), self.config.noise)
        spec = replace(self.spec, verifier=Unjudged(), rubric=Rubric((Channel("judged", "outcome"),)))
        return self.play(expert, self.train, self.config.taught_per_task, "taught", spec=spec)

    def rewarded(self, gated: bool, process_weight: float) -> EnvSpec:
        """The environment paying by gated or by direct accumulation, process scores times `process_weight`."""
        channels = [
            replace(
                channel,
                threshold=channel.threshold if gated else None,
                weight=channel.weight * (process_weight if channel.kind == "process" else 1.0),
            )
            for channel in self.spec.rubric.channels
        ]
        return replace(self.spec, rubric=replace(self.spec.rubric, channels=tuple(channels)))


def set_stage(config: DemoConfig, engine: Engine) -> Stage:
    """Take the tasks of the three parts; fetches what they are made of. Raises UsageError if there are too few."""
    spec = registry.spec(config.env).configure(**config.options)
    spec = replace(spec, limits=replace(spec.limits, turns=config.turns))
    tasks = engine.runtime.tasks(spec)
    wanted = {"train": config.train_tasks, "validation": config.validation_tasks, "test": config.held_out_episodes}
    parts = {}
    for split, count in wanted.items():
        parts[split] = engine.run(tasks.take(split, count))
        if not parts[split]:
            raise UsageError(f"{config.env} has no {split} tasks")
    packages = [{task.payload.get("package") for task in part} for part in parts.values()]
    if len(set().union(*packages)) != sum(map(len, packages)):
        raise UsageError(f"{config.env}: a package is in two of train, validation and held-out")
    return Stage(config, engine, spec, parts["train"], parts["validation"], parts["test"])


def texts(trajectories: Sequence[Trajectory]) -> list[str]:
    """All that was said in some episodes, for a tokenizer to be trained on."""
    return [message.text for t in trajectories for turn in t.turns for message in turn.observation.messages]

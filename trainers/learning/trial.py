"""One seed of one experiment: a warm start, then each of its arms from the same weights. Numbers out, no files."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.policy import Policy
from agentgym.tasks import Task
from agentgym.trainers.demo.controls import shuffled
from agentgym.trainers.demo.run import quieten
from agentgym.trainers.episodes import length
from agentgym.trainers.rollouts import Engine, Play
from agentgym.types import Trajectory


@dataclass(slots=True, frozen=True)
class Arm:
    """One way of learning. `options`: of AgentGRPOConfig, or of AgentPPOConfig with `ppo`.

    outcome_only: process channels pay nothing. shuffled: rewards are dealt anew within each group.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    ppo: bool = False
    outcome_only: bool = False
    shuffled: bool = False


@dataclass(slots=True, frozen=True)
class Experiment:
    """An environment, the expert that the warm start imitates, and the arms that go on from there.

    batches: how many of `tasks` x `group` episodes each arm is trained on. taught: episodes of the expert a train task.
    lr: reached after `warmup` steps of the optimiser; without them Adam's first steps are as large as any, of whatever
    size their gradients are, and can undo the warm start (docs/learning).
    """

    name: str
    spec: EnvSpec
    expert: Policy
    arms: tuple[Arm, ...]
    new_tokens: int
    taught: int = 30
    sft_steps: int = 300
    batches: int = 60
    tasks: int = 8
    group: int = 8
    lr: float = 1e-3
    warmup: int = 10


class Measured(BaseModel):
    """Held-out episodes, sampled at temperature 1, in the order of the tasks: success, tokens said, process score."""

    success: list[float]
    tokens: list[int]
    process: list[float]


class Outcome(BaseModel):
    """One arm of one seed. `curve`: by name of the number, one a batch of training. The warm start has none."""

    experiment: str
    arm: str
    seed: int
    held_out: Measured
    curve: dict[str, list[float]]
    cpu_s: float


@dataclass(slots=True)
class Stage:
    """What the arms of a seed share."""

    experiment: Experiment
    seed: int
    engine: Engine
    codec: CompactCodec
    model: Any
    train: list[Task]
    test: list[Task]

    def play(self, model: Any) -> Measured:
        """The held-out episodes: the same tasks and seeds for every arm."""
        policy = LocalPolicy(model, self.codec, max_new_tokens=self.experiment.new_tokens)
        played = Play(self.experiment.spec, policy, self.engine, seed=self.seed)(self.test, 1, "held-out")
        return measured(played)


def run(experiment: Experiment, seed: int) -> Iterator[Outcome]:
    """The warm start, then every arm, each as it is done. One thread of torch."""
    quieten(threads=1)
    with Engine() as engine:
        started = time.process_time()
        stage = set_stage(experiment, seed, engine)
        held_out = stage.play(stage.model)
        yield Outcome(
            experiment=experiment.name,
            arm="warm start",
            seed=seed,
            held_out=held_out,
            curve={},
            cpu_s=time.process_time() - started,
        )
        for arm in experiment.arms:
            yield _learn(stage, arm)


def set_stage(experiment: Experiment, seed: int, engine: Engine) -> Stage:
    """Tasks, and a model from scratch that has imitated the expert."""
    from agentgym.trainers import models, sft

    spec = experiment.spec
    tasks = engine.runtime.tasks(spec)
    train, test = (engine.run(tasks.take(split, 10_000)) for split in ("train", "test"))
    taught = Play(spec, experiment.expert, engine, seed=seed)(train, experiment.taught, "taught")
    tokenizer = models.train_tokenizer(_texts(taught), 340)
    codec = CompactCodec(tokenizer)
    model = models.small_model(tokenizer, hidden=128, layers=2, context=128, seed=seed)
    rows = sft.taught_rows(taught, codec, spec)
    config = sft.SFTConfig(steps=experiment.sft_steps, batch_size=64, lr=1e-3, seed=seed)
    sft.train(model, rows, tokenizer.pad_token_id, config)
    return Stage(experiment, seed, engine, codec, model, train, test)


def _texts(taught: Sequence[Trajectory]) -> Iterator[str]:
    """What was shown and what was said, for a tokenizer in which a word is one token."""
    for turn in (turn for trajectory in taught for turn in trajectory.turns):
        yield from (message.text for message in turn.observation.messages)
        yield turn.action.text
        yield from (" ".join([call.name, *map(str, json.loads(call.arguments).values())]) for call in turn.action.calls)


def _learn(stage: Stage, arm: Arm) -> Outcome:
    from transformers import PrinterCallback

    from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
    from agentgym.trainers.ppo import AgentPPOConfig, AgentPPOTrainer

    experiment, model = stage.experiment, copy.deepcopy(stage.model)
    spec = _outcome_only(experiment.spec) if arm.outcome_only else experiment.spec
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "output_dir": folder,
            "learning_rate": experiment.lr,
            "lr_scheduler_type": "constant_with_warmup",
            "warmup_steps": experiment.warmup,
            "per_device_train_batch_size": experiment.tasks * experiment.group,
            "num_generations": experiment.group,
            "max_new_tokens": experiment.new_tokens,
            "use_cpu": True,
            "save_strategy": "no",
            "disable_tqdm": True,
            "seed": stage.seed,
            **arm.options,
        }
        args = (AgentPPOConfig if arm.ppo else AgentGRPOConfig)(**options)
        args.max_steps = experiment.batches * args.num_iterations
        trainer = (AgentPPOTrainer if arm.ppo else AgentGRPOTrainer)(
            model,
            spec,
            stage.train,
            stage.codec,
            args,
            engine=stage.engine,
            shape=shuffled(stage.seed) if arm.shuffled else None,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return Outcome(
        experiment=experiment.name,
        arm=arm.name,
        seed=stage.seed,
        held_out=stage.play(model),
        curve=_curve(trainer.state.log_history),
        cpu_s=time.process_time() - started,
    )


def _outcome_only(spec: EnvSpec) -> EnvSpec:
    """The same environment, whose process channels pay nothing."""
    channels = tuple(replace(c, weight=0.0) if c.kind == "process" else c for c in spec.rubric.channels)
    return replace(spec, rubric=replace(spec.rubric, channels=channels))


def measured(played: Sequence[Trajectory]) -> Measured:
    """Raises AgentGymError for an episode without a verdict: nothing here can break but the code."""
    if broken := [trajectory.cause for trajectory in played if trajectory.record is None]:
        raise AgentGymError(f"{len(broken)} held-out episodes were not scored, the first because of: {broken[0]}")
    return Measured(
        success=[t.success or 0.0 for t in played],
        tokens=[length(t) for t in played],
        process=[sum(score.value or 0.0 for turn in t.turns for score in turn.info.scores) for t in played],
    )


def _curve(log: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """One entry a batch, however often it was learnt from."""
    names = {"success": "agent/success", "reward": "agent/reward", "tokens": "completions/mean_length"}
    batches = [entry for entry in log if "agent/success" in entry]
    return {ours: [entry[name] for entry in batches] for ours, name in names.items()}

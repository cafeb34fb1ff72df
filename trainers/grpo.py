"""AgentGRPOTrainer: TRL's GRPOTrainer whose rollouts are our episodes and whose advantages are our estimators'.

sampler ▶ collect ▶ shaping ▶ advantages ▶ loss (+ auxiliary), with controllers: `collecting`, `shaping`, `advantages`,
`learner` and `steering`, in this order.  TRL keeps optimiser, logging, checkpoints and adapters.  Ours are: concurrent episodes with exact tokens, as many
rows a trajectory as its context had beginnings, rewards from the record, failed episodes out of every baseline.  The
one deep override is `_generate_and_score_completions`; the contract test says what it leans on.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError, UsageError
from agentgym.policies.codec import Codec
from agentgym.registry import spec as spec_of
from agentgym.seeds import content_hash
from agentgym.tasks import Task
from agentgym.trainers.advantages import BY_STATE, Batch, estimator
from agentgym.trainers.advantages.consistency import blend
from agentgym.trainers.collecting import Collected, Collector
from agentgym.trainers.combinations import refuse_input
from agentgym.trainers.episodes import channels_of
from agentgym.trainers.expert import Expert
from agentgym.trainers.grpo_config import AgentGRPOConfig
from agentgym.trainers.layout import Layout, differing, trained_rows
from agentgym.trainers.learner import Learner
from agentgym.trainers.losses.aggregate import masked_mean
from agentgym.trainers.losses.kl import kl
from agentgym.trainers.memory import Remembers, load, save
from agentgym.trainers.objective import about_lines, count, refuse_few_groups
from agentgym.trainers.order import EpochOrder
from agentgym.trainers.ranks import ranks_of
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.samplers import filtration, sampler
from agentgym.trainers.shaping import Shape, shaper
from agentgym.trainers.source import SampledPolicy, source_of
from agentgym.trainers.summary import spread_of, statistics_of, summary
from agentgym.trainers.timing import StepClock
from agentgym.trainers.weights import WeightSync
from agentgym.types import Trajectory

__all__ = ["AgentGRPOConfig", "AgentGRPOTrainer", "Shape", "turn_rewards"]


class AgentGRPOTrainer(Learner):
    """Train `model` on `tasks` of `env`.

    codec: how the model reads and writes; its tokenizer is the trainer's. engine: an event loop and runtime to share;
    else the trainer has its own, closed when `train` returns. shape: from trajectories to one reward a turn, in place
    of the records' own and of `args.shaper`; the raw records stay as they are. expert: episodes for `args.chord`.
    policy, weights: what samples, if not this model itself, and how trained weights reach it; `args.server` makes both.
    `stopped_because` says why training ended early, if it did.
    Raises UsageError for tasks without ids of their own and TooManyFailures when too many episodes fail.
    """

    def __init__(
        self,
        model: Any,
        env: str | EnvSpec,
        tasks: Sequence[Task],
        codec: Codec,
        args: AgentGRPOConfig,
        *,
        engine: Engine | None = None,
        shape: Shape | None = None,
        expert: Sequence[Trajectory] | None = None,
        policy: SampledPolicy | None = None,
        weights: WeightSync | None = None,
        **options: Any,
    ) -> None:
        refuse_input(args, tasks, codec.tokenizer, shape is not None, expert is not None)
        self.tasks = {task.id: task for task in tasks}
        self.spec = spec_of(env) if isinstance(env, str) else env
        self.codec = codec
        self.group_size = int(args.num_generations or 2)
        self.estimator = estimator(args.advantage, **args.advantage_options)
        self._owns_engine = engine is None
        with warnings.catch_warnings():  # the contract test watches what TRL calls experimental
            warnings.filterwarnings("ignore", message=".*rollout_func")
            super().__init__(
                model,
                reward_funcs=[self._totals],
                args=args,
                train_dataset=Dataset.from_dict({"prompt": list(self.tasks)}),
                processing_class=codec.tokenizer,
                rollout_func=self._rollout,
                **options,
            )
        self.shape = shape or self._named_shape()
        if expert is not None:
            self.expert = Expert(expert, codec, self.spec, args.seed)
        self.ranks = ranks_of(self.accelerator)
        sampled = self.accelerator.unwrap_model(self.model)
        self.source = source_of(args, codec, sampled, self.ranks, policy, weights)
        self.policy = self.source.policy
        self.play = Play(
            env,
            self.policy,
            engine or Engine(),
            seed=args.seed,
            concurrency=args.concurrency,
            max_failed_share=args.max_failed_share,
            folder=Path(str(args.output_dir)) / "rollouts" if args.keep_rollouts else None,
            run=args.run_name or "grpo",
            hash_states=args.advantage in BY_STATE,
            ranks=self.ranks,
        )
        self.clock = StepClock(lambda: self.policy.sampling.seconds, self._note)
        self.add_callback(self.clock)
        chosen = None if args.sampler is None else sampler(args.sampler, **args.sampler_options)
        keep = None if args.filtration is None else filtration(args.filtration, **args.filtration_options)
        self.collect = Collector(
            self._play_tasks,
            self.tasks,
            sampler=chosen,
            extra=args.dynamic_sampling,
            filtration=keep,
            seed=args.seed,
        )
        self.stopped_because: str | None = None
        self._batch: list[Trajectory] = []
        self._layout = Layout([])
        self._evaluated = 0

    def _named_shape(self) -> Shape:
        """The configured shaper; LASER-D's targets move with their controller."""
        if self.args.shaper is None:
            return turn_rewards
        name, options, laser = self.args.shaper, self.args.shaper_options, self.steering.laser
        if laser is None:
            return shaper(name, **options)
        return lambda played: shaper(name, **options, targets=laser.targets)(played)

    def train(self, *args: Any, **options: Any) -> Any:
        try:
            return super().train(*args, **options)
        finally:
            if self._owns_engine:
                self.play.engine.close()

    def compute_loss(self, model: Any, *args: Any, **options: Any) -> Any:
        if model.training:
            self.clock.learns()
        return super().compute_loss(model, *args, **options)

    def _get_per_token_logps_and_entropies(self, *args: Any, **options: Any) -> Any:
        with self.clock.learning:
            return super()._get_per_token_logps_and_entropies(*args, **options)

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        """TRL's, in the order of the epoch, whether or not this process has seen the epochs before it."""
        made = super()._get_train_sampler(dataset)
        return EpochOrder(
            *(made.data_source, made.mini_repeat_count, made.batch_size, made.repeat_count, made.shuffle, made.seed)
        )

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        """Play the episodes first; then TRL sees one input a row, whatever the number of rows."""
        self._play([each["prompt"] for each in inputs])
        output = super()._generate_and_score_completions(
            [{"prompt": self._batch[line.trajectory].key.task} for line in self._layout.own]
        )
        if self.source.elsewhere:
            output["old_per_token_logps"] = output["sampling_per_token_logps"]
            self._note("sampler_gap", self._sampler_gap(output))
        batch = self._evidence(output)
        self._steer(output, batch)
        output["advantages"] = self._advantages(output["completion_ids"], batch)
        if self.policy_loss is not None:
            output |= about_lines(self._layout, self._batch, output["completion_ids"].device)
            output["units"] = torch.tensor(self.ranks.sum(float(count(self.unit, output))))
        if self.args.policy_loss == "copo":
            output |= self._blend(output, batch)
        self._log_batch(differing(output, self._layout))
        return output

    def _play(self, prompts: list[str]) -> None:
        """One episode for each prompt (a task's id), which arrives as often as its group has members."""
        group = self.group_size
        prompts = self.ranks.all(lambda: prompts)
        ids = prompts[::group]
        if prompts != [id for id in ids for _ in range(group)]:
            raise AgentGymError("TRL's sampler did not send whole groups: see tests/trainers/test_trl_contract.py")
        self._limit_turns()
        collected = self._collect(ids)
        self._batch = collected.kept
        for name, number in (collected.numbers | summary(collected.played)).items():
            self._note(name, number)
        # TRL cuts the batch into steps, and takes groups of its own for statistics that are not used
        ranks, parts = self.ranks, int(self.args.steps_per_generation or 1) * self.ranks.count
        rows = [trained_rows(trajectory) for trajectory in self._batch]
        groups = [trajectory.group for trajectory in self._batch]
        if self.policy_loss is not None and self.mode == "train":
            refuse_few_groups(groups, parts)
        whole = None if self.policy_loss is None else groups
        self._layout = Layout(rows, math.lcm(group, parts), ranks.index, ranks.count, whole)

    def _collect(self, ids: list[str]) -> Collected:
        step = self.state.global_step
        if self.mode == "eval":
            self._evaluated += 1
            played = self._play_tasks([self.tasks[id] for id in ids], f"{step:05d}-eval{self._evaluated}")
            return Collected(played, played)
        laser = self.steering.laser
        if laser is not None and laser.due(step):
            monitor = list(self.tasks.values())[: laser.monitor]
            laser.measure(self._play_tasks(monitor, f"{step:05d}-monitor", laser.samples), laser.samples)
        return self.collect(ids, step)

    def _play_tasks(self, tasks: Sequence[Task], name: str, group: int | None = None) -> list[Trajectory]:
        step = self.state.global_step
        self.source.prepare(self.accelerator.unwrap_model(self.model), step)
        with self.clock.playing:
            played = self.play(tasks, group or self.group_size, name)
        played, numbers = self.source.checked(played, step)
        for each, number in numbers.items():
            self._note(each, number)
        return played

    def _limit_turns(self) -> None:
        if (most := self.steering.max_turns) is not None:
            limits = self.spec.limits
            turns = most if limits.turns is None else min(most, limits.turns)
            self.play.env = replace(self.spec, limits=replace(limits, turns=turns))

    def _rollout(self, prompts: list[str], trainer: Any) -> dict[str, Any]:
        """What was played, line by line."""
        filler = int(self.codec.tokenizer.eos_token_id)
        made = [line.parts(filler) for line in self._layout.own]
        keys = ("prompt_ids", "completion_ids", "logprobs", "env_mask")
        return {key: [each[index] for each in made] for index, key in enumerate(keys)}

    def _totals(self, prompts: list[str], **_: Any) -> list[float | None]:
        """What TRL logs as the reward; None leaves its statistics."""
        records = [self._batch[line.trajectory].record for line in self._layout.own]
        return [None if record is None else record.total for record in records]

    def _evidence(self, output: Any) -> Batch:
        """All that an estimator may look at."""
        return Batch(
            rewards=self.shape(self._batch),
            groups=[trajectory.group for trajectory in self._batch],
            turns=self._layout.turns,
            valid=[trajectory.status == "scored" for trajectory in self._batch],
            old_logprobs=self._layout.old_logprobs,
            states=[trajectory.states for trajectory in self._batch],
            answers=[trajectory.answer for trajectory in self._batch],
            channels=channels_of(self._batch, self.spec.rubric),
        )

    def _steer(self, output: Any, batch: Batch) -> None:
        """Tell the controllers what the batch showed, and take what they say."""
        if self.mode == "eval" or not any(batch.valid) or not self.steering.controllers:
            return
        self.steering.update(self.state.global_step, self._statistics(output, batch))
        self.beta = self.steering.beta(self.args.beta)
        for name, number in self.steering.numbers.items():
            self._note(name, number)
        if (reason := self.steering.stop) is not None:
            self.stopped_because, self.control.should_training_stop = reason, True
            self._note("stopped", 1.0)
            getLogger(__name__).warning("training stops at step %d: %s", self.state.global_step, reason)

    def _statistics(self, output: Any, batch: Batch) -> dict[str, float]:
        """What controllers may read: `statistics_of` and `kl` to the reference (k3, a mean over sampled tokens)."""
        said = statistics_of(self._batch, batch)
        if "ref_per_token_logps" in output:
            gap = kl(output["sampling_per_token_logps"], output["ref_per_token_logps"])
            mask = output["completion_mask"] * output["tool_mask"]
            said["kl"] = self.ranks.mean(float(masked_mean(gap, mask)), float(mask.sum()))
        return said

    def _advantages(self, completion_ids: torch.Tensor, batch: Batch) -> torch.Tensor:
        """One number a token, (lines, tokens), 0 on what was not sampled."""
        numbers = self.steering.estimate(self.estimator, batch)
        for name, number in spread_of(numbers, batch).items():
            self._note(name, number)
        advantages = self._on_lines(numbers, completion_ids)
        if self.policy_loss is None:  # ours are over trajectories anyhow
            for index, line in enumerate(self._layout.own):
                advantages[index] *= self._layout.weight(line, self.loss_type)
        self._note("dropped_groups", batch.dropped)
        self._note("rows", len(self._layout.lines))
        return advantages

    def _on_lines(self, numbers: Sequence[Sequence[float]], like: torch.Tensor) -> torch.Tensor:
        """Numbers a trajectory as (own lines, tokens), padded with 0."""
        made = torch.zeros(like.shape, dtype=torch.float32, device=like.device)
        for index, line in enumerate(self._layout.spread(numbers)[self._layout.part]):
            made[index, : len(line)] = torch.tensor(line)
        return made

    def _blend(self, output: Any, batch: Batch) -> dict[str, torch.Tensor]:
        """COPO's two advantages, and the weight of the first."""
        parts = blend(batch, **self.args.advantage_options)
        local = self._on_lines(batch.spread(parts.local), output["completion_ids"])
        across, weight = (torch.tensor(numbers, device=local.device) for numbers in (parts.across, parts.weight))
        return {"advantages": local, "across": across[output["owners"]], "weight": weight[output["owners"]]}

    def _log_batch(self, wrong: int) -> None:
        wrong = int(self.ranks.sum(wrong))
        if wrong:
            raise AgentGymError(f"{wrong} tokens to be trained are not those that were sampled")
        self._note("tokens_differing", wrong)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            save(Path(output_dir or str(self.args.output_dir)), self._identity(), self._memories())

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load(Path(resume_from_checkpoint), self._identity(), self._memories())
        try:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
        except RuntimeError as error:
            raise UsageError(f"{resume_from_checkpoint} holds the weights of another model: {error}") from error

    def _memories(self) -> dict[str, Remembers]:
        parts: dict[str, Remembers] = {"book": self.collect.book, **self.steering.controllers}
        return parts | {"shaper": self.shape} if isinstance(self.shape, Remembers) else parts

    def _identity(self) -> dict[str, Any]:
        """What a run that goes on from a checkpoint must share with the run that wrote it."""
        return {"env": self.spec.id, "tasks": content_hash(sorted(self.tasks)), **self.args.methods}


def turn_rewards(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """The rewards of the records, one a turn."""
    return [[0.0] if trajectory.record is None else trajectory.record.turns for trajectory in trajectories]

"""AgentGRPOTrainer: TRL's GRPOTrainer whose rollouts are our episodes and whose advantages are our estimators'.

TRL keeps loss, optimiser, logging, checkpoints and adapters.  Ours are: concurrent episodes with exact tokens, as many
rows a trajectory as its context had beginnings, rewards from the record, failed episodes out of every baseline.  The
one deep override is `_generate_and_score_completions`; the contract test says what it leans on.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import GRPOTrainer

from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError, UsageError
from agentgym.evals.held_out import refuse_held_out
from agentgym.policies.codec import Codec
from agentgym.policies.local import LocalPolicy
from agentgym.tasks import Task
from agentgym.trainers.advantages import BY_STATE, Batch, estimator
from agentgym.trainers.grpo_config import AgentGRPOConfig
from agentgym.trainers.layout import Layout, trained_rows
from agentgym.trainers.order import EpochOrder
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.summary import summary
from agentgym.trainers.timing import StepClock
from agentgym.types import Trajectory

Shape = Callable[[Sequence[Trajectory]], list[list[float]]]


__all__ = ["AgentGRPOConfig", "AgentGRPOTrainer", "Shape", "turn_rewards"]


class AgentGRPOTrainer(GRPOTrainer):
    """Train `model` on `tasks` of `env`.

    codec: how the model reads and writes; its tokenizer is the trainer's. engine: an event loop and runtime to share;
    else the trainer has its own, closed when `train` returns. shape: from trajectories to one reward a turn, in place
    of the records' own; the raw records stay as they are.
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
        **options: Any,
    ) -> None:
        self.tasks = {task.id: task for task in tasks}
        if len(self.tasks) < len(tasks):
            raise UsageError("two tasks have the same id")
        refuse_held_out(tasks)
        self.shape = shape or turn_rewards
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
        self.policy = LocalPolicy(
            self.accelerator.unwrap_model(self.model),
            codec,
            temperature=args.temperature,
            max_new_tokens=args.max_new_tokens,
            max_context=args.max_context,
            max_batch=max(args.concurrency, 1),
        )
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
        )
        self.clock = StepClock(lambda: self.policy.sampling.seconds, self._note)
        self.add_callback(self.clock)
        self._batch: list[Trajectory] = []
        self._layout = Layout([])

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
        lines = self._layout.lines
        output = super()._generate_and_score_completions(
            [{"prompt": self._batch[line.trajectory].key.task} for line in lines]
        )
        output["advantages"] = self._advantages(output["completion_ids"], self._evidence(output))
        self._log_batch(_differing(output, self._layout))
        return output

    def _play(self, prompts: list[str]) -> None:
        """One episode for each prompt (a task's id), which arrives as often as its group has members."""
        group = self.group_size
        ids = prompts[::group]
        if prompts != [id for id in ids for _ in range(group)]:
            raise AgentGymError("TRL's sampler did not send whole groups: see tests/trainers/test_trl_contract.py")
        if self.state.global_step != self.policy.policy_version:
            self.policy.updated()
            self.policy.policy_version = self.state.global_step
        with self.clock.playing:
            self._batch = self.play([self.tasks[id] for id in ids], group, f"{self.state.global_step:05d}")
        # TRL cuts the batch into steps, and takes groups of its own for statistics that are not used
        multiple = math.lcm(group, int(self.args.steps_per_generation or 1))
        self._layout = Layout([trained_rows(trajectory) for trajectory in self._batch], multiple)

    def _rollout(self, prompts: list[str], trainer: Any) -> dict[str, Any]:
        """What was played, line by line."""
        filler = int(self.codec.tokenizer.eos_token_id)
        made = [line.parts(filler) for line in self._layout.lines]
        keys = ("prompt_ids", "completion_ids", "logprobs", "env_mask")
        return {key: [each[index] for each in made] for index, key in enumerate(keys)}

    def _totals(self, prompts: list[str], **_: Any) -> list[float | None]:
        """What TRL logs as the reward; None leaves its statistics."""
        records = [self._batch[line.trajectory].record for line in self._layout.lines]
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
        )

    def _advantages(self, completion_ids: torch.Tensor, batch: Batch) -> torch.Tensor:
        """One number a token, (lines, tokens), 0 on what was not sampled."""
        advantages = self._on_lines(self.estimator(batch), completion_ids)
        for index, line in enumerate(self._layout.lines):
            advantages[index] *= self._layout.weight(line, self.loss_type)
        self._note("dropped_groups", batch.dropped)
        self._note("rows", len(self._layout.lines))
        return advantages

    def _on_lines(self, numbers: Sequence[Sequence[float]], like: torch.Tensor) -> torch.Tensor:
        """Numbers a trajectory as (lines, tokens), padded with 0."""
        made = torch.zeros(like.shape, dtype=torch.float32, device=like.device)
        for index, line in enumerate(self._layout.spread(numbers)):
            made[index, : len(line)] = torch.tensor(line)
        return made

    def _log_batch(self, differing: int) -> None:
        if differing:
            raise AgentGymError(f"{differing} tokens to be trained are not those that were sampled")
        self._note("tokens_differing", differing)
        for name, value in summary(self._batch).items():
            self._note(name, value)

    def _note(self, name: str, value: float) -> None:
        mode = "train" if self.model is None or self.model.training else "eval"
        self._metrics[mode][f"agent/{name}"].append(float(value))


def turn_rewards(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """The rewards of the records, one a turn."""
    return [[0.0] if trajectory.record is None else trajectory.record.turns for trajectory in trajectories]


def _differing(output: dict[str, Any], layout: Layout) -> int:
    """How many tokens of the batch, as it will be trained, are not the rows' own, or are masked otherwise."""
    count = 0
    for index, row in enumerate(line.row for line in layout.lines):
        prompt = output["prompt_ids"][index][output["prompt_mask"][index].bool()].tolist()
        kept = output["completion_mask"][index].bool()
        ids = prompt + output["completion_ids"][index][kept].tolist()
        mask = [0] * len(prompt) + output["tool_mask"][index][kept].tolist()
        wanted = ([ids[0], ids[1]], [0, 0]) if row is None else (row.ids, row.mask)
        count += abs(len(ids) - len(wanted[0])) + sum(a != b for a, b in zip(ids, wanted[0], strict=False))
        count += sum(a != b for a, b in zip(mask, wanted[1], strict=False))
    return count

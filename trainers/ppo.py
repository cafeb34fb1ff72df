"""AgentPPOTrainer: PPO for multi-turn agents. AgentGRPOTrainer with a critic, GAE over sampled tokens, and its relatives.

TRL has no PPO since 1.13.  What is here is what GRPO's trainer lacks for it: values before the advantages, a value
loss beside the policy's, a critic that is saved and resumed.  Estimators and losses are pure and elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from agentgym.errors import UsageError
from agentgym.trainers.advantages.batch import Batch
from agentgym.trainers.advantages.gae import TARGETS, targets
from agentgym.trainers.critic import Critic
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.losses.auxiliary import expert_nll
from agentgym.trainers.losses.value import value_loss
from agentgym.trainers.objective import whole


@dataclass
class AgentPPOConfig(AgentGRPOConfig):
    """AgentGRPOConfig and what a critic needs. `num_generations` is how many episodes of a task a batch has (2 or more).

    PPO: advantage "gae" (options gamma, lam). VC-PPO (arXiv 2503.01491): "vc_ppo" and value_steps, about 50. VAPO (arXiv
    2504.05118): "vapo" (options alpha, floor), value_steps, epsilon_high .28, positive_coef .1. DVPO: value_steps and
    critic_frozen. Turn-level PPO (arXiv 2512.17008): "turn_gae".
    """

    has_critic: ClassVar[bool] = True

    advantage: str = field(default="gae", metadata={"help": f"One of {', '.join(TARGETS)}."})
    target_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Of what the critic learns."})
    num_generations: int | None = field(default=2, metadata={"help": "Episodes of a task in a batch."})
    num_iterations: int = field(default=2, metadata={"help": "How often a batch is learnt from."})
    critic_learning_rate: float = field(default=2e-6, metadata={"help": "VAPO's is 2e-6, twice its policy's."})
    value_clip: float | None = field(default=0.2, metadata={"help": "How far V may move in a batch; None: any way."})
    value_steps: int = field(default=0, metadata={"help": "Steps at the start in which only the critic learns."})
    critic_frozen: bool = field(default=False, metadata={"help": "After value_steps the critic learns no more."})
    critic_from: str | None = field(default=None, metadata={"help": "A checkpoint of PPO whose critic to begin with."})
    positive_coef: float = field(default=0.0, metadata={"help": "Weight of imitating the batch's own successes."})

    def __post_init__(self) -> None:
        super().__post_init__()
        targets(self.advantage, **self.target_options)
        if self.critic_frozen and not self.value_steps and self.critic_from is None:
            raise UsageError("a critic that is frozen before it has learnt: give value_steps or critic_from")


class AgentPPOTrainer(AgentGRPOTrainer):
    """Train by PPO; arguments and errors as AgentGRPOTrainer's. `critic` is the value model."""

    args: AgentPPOConfig

    def __init__(self, model: Any, *more: Any, **options: Any) -> None:
        super().__init__(model, *more, **options)
        self.critic = Critic(self.accelerator.unwrap_model(self.model))
        if self.args.critic_from is not None:
            self.critic.load(Path(self.args.critic_from))
        self._targets = targets(self.args.advantage, **self.args.target_options)

    @property
    def warming(self) -> bool:
        """Whether the policy still waits for the critic."""
        return bool(self.state.global_step < self.args.value_steps)

    def create_optimizer(self, model: Any = None) -> Any:
        """The policy's optimizer, which steps the critic too, at a rate and with a norm of its own."""
        made = super().create_optimizer(model)
        parameters = list(self.critic.parameters())
        if not any(each is parameters[0] for group in made.param_groups for each in group["params"]):
            made.add_param_group({"params": parameters, "lr": self.args.critic_learning_rate, "weight_decay": 0.0})
            self.ranks.align(self.critic)
            made.register_step_pre_hook(self._finish_critic)
            made.register_step_post_hook(lambda *_: self.critic.zero_grad())  # the Trainer clears the policy's only
        return made

    def _finish_critic(self, *_: Any) -> None:
        self.ranks.average_gradients(self.critic.parameters())
        if self.args.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(self.critic.parameters(), self.args.max_grad_norm)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            self.critic.save(Path(output_dir or str(self.args.output_dir)))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self.critic.load(Path(resume_from_checkpoint))

    def _evidence(self, output: Any) -> Batch:
        batch = super()._evidence(output)
        output["old_values"] = values = self._values(output)
        batch.values = self._layout.gather(self.ranks.all(values.tolist))
        output["returns"] = self._on_lines(self._targets(batch), values)
        successes = [float(t.record.success) if t.record is not None else 0.0 for t in self._batch]
        owners = [line.trajectory for line in self._layout.own]
        output["successes"] = torch.tensor([successes[owner] for owner in owners], device=values.device)
        return batch

    @torch.no_grad()
    def _values(self, output: Any) -> Tensor:
        """V before each completion id as the critic is now, (lines, tokens)."""
        size = int(self.args.per_device_train_batch_size)
        self.critic.eval()
        ids, mask = whole(output)
        width = output["completion_ids"].size(1)
        pieces = zip(torch.split(ids, size), torch.split(mask, size), strict=True)
        with self.clock.learning:
            return torch.cat([self.critic(some, seen, width) for some, seen in pieces])

    def _compute_loss(self, model: Any, inputs: Any) -> Any:
        if self.warming:
            inputs = {**inputs, "advantages": torch.zeros_like(inputs["advantages"])}
        loss = super()._compute_loss(model, inputs)
        mask = inputs["completion_mask"] * inputs["tool_mask"]
        share = self.current_gradient_accumulation_steps if self.model.training else 1
        if self.warming or not self.args.critic_frozen:
            self.critic.train()
            values = self.critic(*whole(inputs), inputs["completion_ids"].size(1))
            off, said = value_loss(values, inputs["old_values"], inputs["returns"], mask, clip=self.args.value_clip)
            loss = loss + off * self.ranks.share(mask) / share
            self._note("value_loss", float(off.detach()))
            for name, number in said.items():
                self._note(name, number)
        if self.args.positive_coef and not self.warming:
            loss = loss + self.args.positive_coef * self._imitation(inputs, mask) / share
        return loss

    def _imitation(self, inputs: Any, mask: Tensor) -> Tensor:
        """VAPO's positive-example loss (arXiv 2504.05118): imitation of the tokens of successful episodes."""
        right = inputs["successes"] >= 1.0
        weight = self.ranks.share(mask[right])
        if not right.any():
            return torch.zeros((), device=mask.device)
        ids, seen = whole(inputs)
        model = self.accelerator.unwrap_model(self.model)  # DDP's forward waits for ranks that may have none
        said, *_ = self._get_per_token_logps_and_entropies(
            model, ids[right], seen[right], inputs["completion_ids"].size(1)
        )
        return expert_nll(said, mask[right]) * weight

"""Learner: TRL's GRPOTrainer whose policy loss may be one of ours, and to which CHORD's imitation may be added.

What it learns from is made by AgentGRPOTrainer.  Without a policy loss and an expert it is TRL's own.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from trl import GRPOTrainer
from trl.trainer.callbacks import SyncRefModelCallback

from agentgym.trainers.expert import Expert, imitation
from agentgym.trainers.grpo_config import AgentGRPOConfig
from agentgym.trainers.losses import policy_loss
from agentgym.trainers.losses.aggregate import masked_mean
from agentgym.trainers.losses.auxiliary import chord, expert_nll
from agentgym.trainers.losses.batch import Statistics
from agentgym.trainers.losses.kl import kl
from agentgym.trainers.objective import count, loss_batch, unit_of, whole, whole_groups
from agentgym.trainers.steering import Steering

OwnLoss = Callable[..., tuple[Tensor, Statistics]]


class Learner(GRPOTrainer):
    """expert: set by whoever has one."""

    args: AgentGRPOConfig
    expert: Expert | None = None
    _buffered_inputs: list[dict[str, Any]] | None

    def __init__(self, model: Any, *more: Any, args: AgentGRPOConfig, **options: Any) -> None:
        self.steering = Steering(args.controllers)
        self.imitation = imitation(**(args.chord or {}))
        name = args.policy_loss
        self.policy_loss: OwnLoss | None = None if name is None else policy_loss(name, **args.policy_loss_options)
        self.unit = unit_of(name or "", args.policy_loss_options)
        beta, sync = args.beta, args.sync_ref_model
        adapter = (
            hasattr(model, "get_base_model") or options.get("peft_config") is not None
        )  # without it: the reference
        ours = bool(beta) and not adapter
        if ours:  # TRL would load the reference by the model's name, which may have none, or have learnt since
            args.beta, args.sync_ref_model = 0.0, False
        super().__init__(model, *more, args=args, **options)
        if ours:
            args.beta, args.sync_ref_model, self.beta = beta, sync, beta
            self._add_reference(sync)

    def _add_reference(self, sync: bool) -> None:
        """The model as it was given."""
        reference = deepcopy(self.accelerator.unwrap_model(self.model)).requires_grad_(False)
        self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)
        if sync:
            self.add_callback(SyncRefModelCallback(ref_model=self.ref_model, accelerator=self.accelerator))

    @property
    def warming(self) -> bool:
        """Whether the policy still waits, as PPO's may for its critic."""
        return False

    @property
    def mode(self) -> str:
        return "train" if self.model is None or self.model.training else "eval"

    def _note(self, name: str, value: float) -> None:
        """Log it as agent/`name`: a mean over the batches and parts since the last log."""
        self._metrics[self.mode][f"agent/{name}"].append(float(value))

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """With a loss of ours, parts hold whole groups."""
        before = self._buffered_inputs
        inputs = super()._prepare_inputs(generation_batch)
        if self.policy_loss is None or self._buffered_inputs is None or self._buffered_inputs is before:
            return inputs
        self._buffered_inputs = whole_groups(self._buffered_inputs)
        return self._buffered_inputs[self._step % len(self._buffered_inputs)]

    def _compute_loss(self, model: Any, inputs: Any) -> Any:
        if self.policy_loss is None:
            loss = super()._compute_loss(model, inputs)
        else:
            loss = self._own_loss(model, inputs, self.policy_loss)
        if self.expert is None or self.warming or self.mode == "eval":
            return loss
        mu = self.steering.mu if self.imitation.mu is None else self.imitation.mu
        wrong = self._expert_loss(model, self.expert)
        self._note("expert_loss", float(wrong.detach()))
        return chord(loss, wrong / self.current_gradient_accumulation_steps, mu=mu or 0.0)

    def _own_loss(self, model: Any, inputs: Any, loss_of: OwnLoss) -> Tensor:
        """Of a part of the batch, weighed so that the parts of an optimiser step average to the whole."""
        width = inputs["completion_ids"].size(1)
        lp, entropies, _ = self._get_per_token_logps_and_entropies(model, *whole(inputs), width, compute_entropy=True)
        batch = loss_batch(lp, inputs)
        loss, said = loss_of(batch, beta=self.beta) if self.args.policy_loss == "clipped" else loss_of(batch)
        own = self._metrics[self.mode]
        if "clipped_low" in said:  # under the names that TRL gives them
            low, high = said.pop("clipped_low"), said.pop("clipped_high")
            for name, number in (("low", low), ("high", high), ("region", low + high)):
                own[f"clip_ratio/{name}_mean"].append(number)
        for name, number in said.items():
            self._note(name, number)
        own["entropy"].append(float(masked_mean(entropies.detach(), inputs["completion_mask"] * inputs["tool_mask"])))
        if batch.lp_ref is not None:
            own["kl"].append(float(masked_mean(kl(batch.lp.detach(), batch.lp_ref), batch.mask)))
        if self.warming:
            return loss * 0.0
        if self.mode == "eval":
            return loss
        parts = self.args.steps_per_generation * self.accelerator.num_processes
        share: Tensor = count(self.unit, inputs) * parts / inputs["units"].clamp(min=1)
        return loss * float(share / self.current_gradient_accumulation_steps)

    @torch.no_grad()
    def _sampler_gap(self, output: Any) -> float:
        """How far the log-probabilities of what was sampled elsewhere are from this model's: a mean over the tokens of
        the first lines. More than rounding, where nothing is stale, means that the sampler has other weights."""
        size = int(self.args.per_device_train_batch_size)
        ids, seen = (each[:size] for each in whole(output))
        said, *_ = self._get_per_token_logps_and_entropies(self.model, ids, seen, output["completion_ids"].size(1))
        mask = (output["completion_mask"] * output["tool_mask"])[:size]
        return float(masked_mean((said - output["sampling_per_token_logps"][:size]).abs(), mask))

    def _expert_loss(self, model: Any, expert: Expert) -> Tensor:
        drawn = expert.draw(self.imitation.batch, self.state.global_step, self._step % self.args.steps_per_generation)
        ids, there, said = (each.to(self.accelerator.device) for each in drawn)
        lp, *_ = self._get_per_token_logps_and_entropies(model, ids, there, ids.size(1) - 1)
        return expert_nll(lp, said[:, 1:], form=self.imitation.form)

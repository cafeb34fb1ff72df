"""The three ways of learning in the demo: the warm start, GRPO with a look at validation, and the control."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PrinterCallback, TrainerCallback

from agentgym.row import Row
from agentgym.trainers import models, sft
from agentgym.trainers.demo.stage import Stage, texts
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer, Shape
from agentgym.trainers.summary import summary

Say = Callable[[str], None]


@dataclass(slots=True)
class Learned:
    """A model after GRPO: from which step its weights are, what was logged, and the processor time that it took."""

    model: Any
    step: int
    looks: list[dict[str, float]]
    log: list[dict[str, float]]
    cpu_s: float


def warm_start(stage: Stage, say: Say) -> tuple[Any, list[Row]]:
    """A model from scratch that imitates the fallible expert, and the rows that it was taught; sets the tokenizer."""
    config = stage.config
    taught = stage.taught()
    stage.tokenizer = models.train_tokenizer(texts(taught), config.vocabulary)
    rows = sft.taught_rows(taught, stage.codec, stage.spec)
    model = models.small_model(
        stage.tokenizer, hidden=config.hidden, layers=config.layers, context=config.context, seed=config.seed
    )
    longest = max(len(row.ids) for row in rows)
    say(f"{len(rows)} taught episodes, at most {longest} tokens; {model.num_parameters():,} parameters")
    loss = sft.train(model, rows, stage.tokenizer.pad_token_id, _sft(stage, config.sft_steps), _teller(say, 60))
    say(f"warm start: loss {loss:.3f}")
    return model, rows


def more_sft(stage: Stage, model: Any, rows: Sequence[Row], cpu_s: float, say: Say) -> Any:
    """The control: a copy of the model goes on imitating the same episodes for as much processor time as GRPO took."""
    model = copy.deepcopy(model)
    config = _sft(stage, 100_000, cpu_s=cpu_s)
    loss = sft.train(model, rows, stage.tokenizer.pad_token_id, config, _teller(say, 100))
    say(f"continued imitation: loss {loss:.3f}")
    return model


def reinforce(stage: Stage, model: Any, say: Say, *, shape: Shape | None = None, look: bool = True) -> Learned:
    """GRPO on a copy of the model. With `look`, validation chooses which step's weights are kept, and when to stop."""
    config = stage.config
    model = copy.deepcopy(model)
    args = AgentGRPOConfig(
        output_dir=str(stage.folder / "grpo"),
        max_steps=config.grpo_steps,
        learning_rate=config.grpo_lr,
        lr_scheduler_type="constant",
        per_device_train_batch_size=config.groups * config.group_size,
        num_generations=config.group_size,
        max_new_tokens=config.max_new_tokens,
        concurrency=config.concurrency,
        keep_rollouts=True,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        seed=config.seed,
    )
    spec = stage.rewarded(config.gated, config.process_weight)
    trainer = AgentGRPOTrainer(model, spec, stage.train, stage.codec, args, engine=stage.engine, shape=shape)
    watch = _Watch(stage, model, say, look)
    trainer.add_callback(watch)
    trainer.remove_callback(PrinterCallback)  # `watch` says what matters
    started = time.process_time()
    trainer.train()
    cpu_s = time.process_time() - started - watch.cpu_s
    chosen = look and bool(watch.best)  # a run shorter than `look_every` has nothing to choose from
    if chosen:
        model.load_state_dict(watch.best)
    log = [entry for entry in trainer.state.log_history if "agent/reward" in entry]
    return Learned(model, watch.best_step if chosen else trainer.state.global_step, watch.looks, log, cpu_s)


class _Watch(TrainerCallback):
    """Every few steps, plays the validation tasks; keeps the best weights; stops when there is no more progress."""

    def __init__(self, stage: Stage, model: Any, say: Say, look: bool) -> None:
        self._stage, self._model, self._say, self._look = stage, model, say, look
        self.looks: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self.best_step = 0
        self.cpu_s = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        every = self._stage.config.look_every
        if self._look and state.global_step % every == 0:
            started = time.process_time()
            if self._glance(state.global_step) - self.best_step >= every * self._stage.config.patience:
                control.should_training_stop = True
            self.cpu_s += time.process_time() - started

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "agent/reward" in logs and state.global_step % 4 == 0:
            names = ("reward", "outcome", "channels/completion", "channels/modification", "success")
            self._say(f"step {state.global_step}: " + ", ".join(_told(logs, name) for name in names))

    def _glance(self, step: int) -> int:
        policy = self._stage.policy(self._model, f"step-{step}")
        found = summary(self._stage.play(policy, self._stage.validation, name=f"validation-{step}"))
        if not self.looks or found["outcome"] >= max(look["outcome"] for look in self.looks):
            self.best, self.best_step = copy.deepcopy(self._model.state_dict()), step
        self.looks.append({"step": step, **found})
        self._say(f"validation at step {step}: outcome {found['outcome']:.2f}, best at step {self.best_step}")
        return step


def _told(logs: dict[str, float], name: str) -> str:
    return f"{name.rpartition('/')[2]} {logs.get(f'agent/{name}', 0.0):.2f}"


def _sft(stage: Stage, steps: int, cpu_s: float | None = None) -> sft.SFTConfig:
    config = stage.config
    return sft.SFTConfig(
        steps=steps,
        batch_size=config.sft_batch,
        lr=config.sft_lr,
        given_weight=config.given_weight,
        seed=config.seed,
        cpu_s=cpu_s,
    )


def _teller(say: Say, every: int) -> Callable[[int, float], None]:
    return lambda step, loss: say(f"imitation step {step}: loss {loss:.3f}") if step % every == 0 else None

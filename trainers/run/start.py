"""What a run starts from: the model of its name, or one made and taught beforehand, which is kept in `start/`.

A resumed run, and the reference of a KL term, begin from the same files as the first one did.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.policies.codec import ChatCodec, Codec, CompactCodec
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.trainers import models, sft
from agentgym.trainers.config.sections import RunConfig, Scratch, WarmStart
from agentgym.trainers.config.wording import nearest
from agentgym.trainers.rollouts import Engine, Play
from agentgym.types import Trajectory

FOLDER = "start"
Say = Callable[[str], None]


def start(
    config: RunConfig, spec: EnvSpec, tasks: Sequence[Task], engine: Engine, args: Any, say: Say
) -> tuple[Any, Any]:
    """Model and tokenizer as they are before the first step, without an adapter. Raises UsageError."""
    if config.warm_start is None:
        return models.load(str(config.model.name))
    made = Path(config.output_dir) / FOLDER
    if not made.is_dir():
        play = Play(spec, _expert(spec, config.warm_start), engine, seed=config.seed, concurrency=args.concurrency)
        taught = play(tasks, config.warm_start.samples, "taught")
        part = made.with_name(f".{FOLDER}")
        shutil.rmtree(part, ignore_errors=True)
        models.save(part, *_taught(config, config.warm_start, spec, taught, say))
        part.rename(made)
    return models.load(made)


def codec_of(tokenizer: Any) -> Codec:
    """The codec that fits a tokenizer: its chat template, or ours."""
    return ChatCodec(tokenizer) if tokenizer.chat_template else CompactCodec(tokenizer)


def adapter(config: RunConfig) -> Any:
    """The peft config of `model.lora`; None trains all weights."""
    lora = config.model.lora
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha or 2 * lora.rank,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )


def _expert(spec: EnvSpec, warm: WarmStart) -> Any:
    if warm.policy not in spec.policies:
        raise UsageError(f"warm_start.policy: {spec.id} has no {warm.policy!r}{nearest(warm.policy, spec.policies)}")
    return spec.policies[warm.policy]()


def _taught(
    config: RunConfig, warm: WarmStart, spec: EnvSpec, taught: Sequence[Trajectory], say: Say
) -> tuple[Any, Any]:
    if config.model.scratch is not None:
        model, tokenizer = _scratch(config.model.scratch, taught, config.seed)
    else:
        model, tokenizer = models.load(str(config.model.name))
    rows = sft.taught_rows(taught, codec_of(tokenizer), spec)
    longest = max((len(row.ids) for row in rows), default=0)
    room = getattr(model.config, "max_position_embeddings", None) or longest
    if longest > room:
        raise UsageError(f"an episode of warm_start.policy takes {longest} tokens, and the model's context is {room}")
    imitation = sft.SFTConfig(
        steps=warm.steps,
        batch_size=warm.batch_size,
        lr=warm.learning_rate,
        warmup=min(20, warm.steps // 5),
        seed=derive_seed("imitation", config.seed),
    )
    loss = sft.train(model, rows, tokenizer.pad_token_id, imitation)
    say(f"warm start: {len(rows)} episodes of {warm.policy}, imitated in {warm.steps} steps to a loss of {loss:.3f}")
    return model, tokenizer


def _scratch(size: Scratch, taught: Sequence[Trajectory], seed: int) -> tuple[Any, Any]:
    tokenizer = models.train_tokenizer(_texts(taught), size.vocabulary)
    model = models.small_model(tokenizer, hidden=size.hidden, layers=size.layers, context=size.context, seed=seed)
    return model, tokenizer


def _texts(taught: Sequence[Trajectory]) -> list[str]:
    """All that was seen and said, tool calls included."""
    turns = [turn for trajectory in taught for turn in trajectory.turns]
    seen = [message.text for turn in turns for message in turn.observation.messages]
    said = [turn.action.text for turn in turns if turn.action.text]
    return seen + said + [f"{call.name} {call.arguments}" for turn in turns for call in turn.action.calls]

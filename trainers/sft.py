"""Warm start: a model learns to write what a (scripted) policy did. From trajectories to rows, and a small loop.

The rows are the same as those of reinforcement learning, so a model starts there with the contexts it was taught in.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.policies.codec import Codec
from agentgym.policy import Context
from agentgym.row import Row
from agentgym.tasks import Task
from agentgym.trainers.layout import trained_rows
from agentgym.types import Message, Sample, Trajectory


@dataclass(slots=True, frozen=True)
class SFTConfig:
    """given_weight: the loss weight of tokens that the model was given; it learns to read from them.

    cpu_s: stop once so much of this process's time is used, whatever `steps` says.
    """

    steps: int = 200
    batch_size: int = 32
    lr: float = 1e-3
    warmup: int = 20
    given_weight: float = 0.0
    clip: float = 1.0
    seed: int = 0
    cpu_s: float | None = None


def teach(trajectory: Trajectory, codec: Codec, spec: EnvSpec) -> Trajectory:
    """The trajectory as if a model had sampled it: every action gets the tokens that say it in its context.

    Raises UsageError if the codec cannot say an action, or if several actors took part.
    """
    messages: list[Message] = []
    tokens: list[int] = []
    new, turns = 0, []
    task = Task(trajectory.key.task, trajectory.spec, {})
    toolbox = spec.entry.toolbox
    for index, turn in enumerate(trajectory.turns):
        seen = turn.observation
        if seen.actor != "agent":
            raise UsageError("only trajectories of one actor can be taught")
        if seen.fresh:
            messages, tokens, new = [], [], 0
        messages.extend(seen.messages)
        tools = [tool for name, tool in toolbox.items() if seen.tools is None or name in seen.tools]
        context = Context(messages, tools, seen, task, turn=index, new=new, tokens=tokens)
        keep, prompt = codec.prompt(context)
        ids = codec.write(turn.action, context)
        tokens = [*tokens[:keep], *prompt, *ids]
        messages.append(turn.action.message())
        new = len(messages)
        sample = Sample(keep, prompt, ids, [0.0] * len(ids))
        turns.append(replace(turn, action=replace(turn.action, sample=sample)))
    return replace(trajectory, turns=turns)


def taught_rows(trajectories: Iterable[Trajectory], codec: Codec, spec: EnvSpec) -> list[Row]:
    """The rows of every trajectory that was scored. Raises UsageError as `teach` does."""
    scored = [trajectory for trajectory in trajectories if trajectory.status == "scored"]
    return [row for trajectory in scored for row in trained_rows(teach(trajectory, codec, spec))]


def train(
    model: Any, rows: Sequence[Row], pad_id: int, config: SFTConfig, log: Callable[[int, float], None] | None = None
) -> float:
    """Train in place with AdamW; the mean loss of the last tenth of the steps.

    `log(step, loss)` is called at every step.  Raises UsageError if there is nothing to learn from.
    """
    import torch

    if not rows:
        raise UsageError("no rows to learn from")
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=0.01)
    batches = _batches(rows, config)
    losses, started = [], time.process_time()
    model.train()
    for step in range(config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.lr * min(1.0, (step + 1) / max(config.warmup, 1), 3 * (1 - step / config.steps) + 0.1)
        loss = _loss(model, next(batches), pad_id, config.given_weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimiser.step()
        losses.append(float(loss.detach()))
        if log is not None:
            log(step, losses[-1])
        if config.cpu_s is not None and time.process_time() - started > config.cpu_s:
            break
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail)


def _batches(rows: Sequence[Row], config: SFTConfig) -> Any:
    """Batches for ever, from a shuffled round of the rows each; rows of like length go together."""
    rng = random.Random(config.seed)
    size = config.batch_size
    while True:
        order = sorted(range(len(rows)), key=lambda index: len(rows[index].ids) + 40 * rng.random())
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(chunks)
        for chunk in chunks:
            yield [rows[index] for index in chunk]


def _loss(model: Any, batch: Sequence[Row], pad_id: int, given_weight: float) -> Any:
    import torch

    width = max(len(row.ids) for row in batch)
    device = model.device
    ids = torch.tensor([row.ids + [pad_id] * (width - len(row.ids)) for row in batch], device=device)
    real = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in batch], device=device)
    own = torch.tensor([row.mask + [0] * (width - len(row.mask)) for row in batch], device=device)[:, 1:].float()
    given = (real[:, 1:] - own) * (given_weight > 0)
    wanted = (own + given) > 0
    hidden = model.get_decoder()(input_ids=ids, attention_mask=real).last_hidden_state if not given_weight else None
    if hidden is not None:  # the head only where a loss is taken: most tokens were given
        logits = model.get_output_embeddings()(hidden[:, :-1][wanted])
    else:
        logits = model(input_ids=ids, attention_mask=real).logits[:, :-1][wanted]
    losses = torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][wanted], reduction="none")
    weights = own[wanted] / own.sum().clamp(min=1)
    if given_weight:
        weights = weights + given_weight * given[wanted] / given.sum().clamp(min=1)
    return (losses * weights).sum()

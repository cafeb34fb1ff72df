"""Every number of the demo, in one place; `trainers/README.md` says how they were chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class DemoConfig(BaseModel):
    """The whole run in fixed numbers; the defaults are `make run`.

    noise: chance that a turn of the warm start's expert is a random call. turns: an episode's limit.
    audited: how many tasks are checked first (oracle 1, noop 0).
    patience: GRPO stops once validation has not improved for so many looks; the best look's weights are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str = "swe/bugs-v0"
    options: dict[str, Any] = Field(default_factory=lambda: {"tools": "small", "hint": "line"})
    folder: Path = Path("runs/demo")
    seed: int = 0
    threads: int = Field(default=1, ge=1)
    turns: int = Field(default=5, ge=2)
    noise: float = Field(default=0.45, ge=0, le=1)
    train_tasks: int = Field(default=40, ge=2)
    validation_tasks: int = Field(default=20, ge=1)
    held_out_episodes: int = Field(default=100, ge=1)
    audited: int = Field(default=3, ge=0)
    taught_per_task: int = Field(default=7, ge=1)
    vocabulary: int = 2048
    hidden: int = 64
    layers: int = 3
    context: int = 1024
    max_new_tokens: int = 12
    sft_steps: int = 200
    sft_lr: float = 3e-3
    sft_batch: int = 32
    given_weight: float = 0.0
    grpo_steps: int = 18
    grpo_lr: float = 1e-3
    groups: int = Field(default=8, ge=1, description="tasks in a batch")
    group_size: int = Field(default=6, ge=2)
    look_every: int = 9
    patience: int = 3
    concurrency: int = 16
    gated: bool = True
    process_weight: float = 1.0
    controls_seeds: tuple[int, ...] = (0, 1, 2)

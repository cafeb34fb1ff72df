"""Runs on the toy of the command line: say a word. A small model, taught for a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentgym.trainers.config import RunConfig, read
from agentgym.trainers.run import run
from agentgym.trainers.run.run import Ran

TOY = Path(__file__).parents[2] / "cli" / "toy.py"
KEYS = [
    f"env={TOY}",
    "model.scratch={hidden: 32, layers: 1, context: 128, vocabulary: 300}",
    "warm_start={samples: 2, steps: 80, learning_rate: 1e-2}",
    "trainer={max_steps: 4, learning_rate: 1e-3, lr_scheduler_type: constant, save_steps: 2, use_cpu: true}",
    "trainer.per_device_train_batch_size=8",
    "trainer.num_generations=4",
    "trainer.max_new_tokens=8",
]
TIMES = ("time", "runtime", "per_second", "overhead", "share")


def config_of(folder: Path, *overrides: str) -> RunConfig:
    return read(None, [*KEYS, f"output_dir={folder}", *overrides])


def train(folder: Path, *overrides: str, **options: Any) -> Ran:
    return run(config_of(folder, *overrides), say=lambda text: None, **options)


def metrics(folder: Path) -> list[dict[str, Any]]:
    """What was logged at every step, without what a clock says."""
    lines = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in each.items() if not any(word in name for word in TIMES)}
        for each in lines
        if "loss" in each
    ]

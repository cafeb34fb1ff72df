"""Where a run's numbers go: a line a step for people, `metrics.jsonl` for programs. Trackio and W&B are the Trainer's own.

Names and meanings: docs/training.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

FILE = "metrics.jsonl"
LINE = {
    "loss": "loss",
    "agent/reward": "reward",
    "agent/outcome": "outcome",
    "agent/success": "success",
    "agent/gate_open": "gates open",
    "agent/failed": "failed",
    "agent/masked": "masked",
    "entropy": "entropy",
    "kl": "kl",
    "clip_ratio/region_mean": "clipped",
    "step_time": "s",
}


class Console(TrainerCallback):
    """One line a step, of what is logged there."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self._say(line(state.global_step, state.max_steps, logs))


def line(step: int, steps: int, logs: Mapping[str, Any]) -> str:
    """A step for people, in `LINE`'s words and order."""
    told = [f"{word} {logs[name]:.3g}" for name, word in LINE.items() if logs.get(name) is not None]
    return f"step {step}/{steps}: " + ", ".join(told)


class JsonLines(TrainerCallback):
    """Appends all that is logged to `metrics.jsonl`, one object a time; what is no number is null."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and state.is_world_process_zero:
            entry = {"step": state.global_step, **{name: _plain(value) for name, value in logs.items()}}
            with self.file.open("a") as file:
                file.write(json.dumps(entry) + "\n")


def forget_after(folder: Path, step: int) -> None:
    """Drop the lines of steps after `step`, which will be taken again, and one that was cut short."""
    file = folder / FILE
    if file.exists():
        whole = [text for text in file.read_text().splitlines(keepends=True) if text.endswith("\n")]
        part = file.with_suffix(".part")
        part.write_text("".join(text for text in whole if json.loads(text)["step"] <= step))
        part.replace(file)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

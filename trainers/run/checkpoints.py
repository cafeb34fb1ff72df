"""A run's folder: whether one may begin or go on there, and from which checkpoint. No training here.

`run.yaml` is the run with every key said; it lies beside the checkpoints, and `agentgym train run.yaml` reads it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentgym.errors import UsageError
from agentgym.store import read_json
from agentgym.trainers.config.text import dump, parse
from agentgym.trainers.run.sinks import forget_after

FILE = "run.yaml"
FREE = ("output_dir", "sandbox", "eval", "trainer.save_", "trainer.logging_", "trainer.log_", "trainer.report_to")
"""Beginnings of the keys that do not change a number of the training."""
_LENGTH = "trainer.max_steps"
_MOST = 10


def begin(folder: Path, data: Mapping[str, Any], manifest: Mapping[str, Any], *, resume: bool) -> None:
    """Check that this run may begin, or go on, in `folder`. Raises UsageError naming what differs and what to do."""
    there = (folder / FILE).exists()
    if there and not resume:
        raise UsageError(f"{folder} holds a run already: add --resume to go on with it, or choose another output_dir")
    if not there and list(folder.glob("checkpoint-*")):
        raise UsageError(f"{folder} holds checkpoints of another program (no {FILE}): choose another output_dir")
    if there:
        _same(folder, data)
        _same_tasks(folder, manifest)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(dump(dict(data)))


def last(folder: Path, every: int) -> Path | None:
    """The newest whole checkpoint between two batches of episodes (at a multiple of `every` steps)."""
    found = {int(path.name.rpartition("-")[2]): path for path in folder.glob("checkpoint-[0-9]*")}
    for step in sorted(found, reverse=True):
        if step % every == 0 and (found[step] / "trainer_state.json").is_file():
            if not (found[step] / "optimizer.pt").is_file():
                raise UsageError(
                    f"{found[step]} was saved without its optimizer (save_only_model): nothing to go on from"
                )
            return found[step]
    return None


def step_of(checkpoint: Path | None) -> int:
    """The step of a checkpoint; 0 for none."""
    return 0 if checkpoint is None else int(json.loads((checkpoint / "trainer_state.json").read_text())["global_step"])


def rewind(folder: Path, step: int) -> None:
    """Forget what was logged and kept after `step`: it will be played and logged again."""
    forget_after(folder, step)
    for played in (folder / "rollouts").glob("[0-9]*"):
        if int(played.name.partition("-")[0]) >= step:
            shutil.rmtree(played)


def _same(folder: Path, data: Mapping[str, Any]) -> None:
    before, now = _flat(parse((folder / FILE).read_text(), str(folder / FILE))), _flat(data)
    free = (*FREE, _LENGTH) if str(now.get("trainer.lr_scheduler_type", "")).startswith("constant") else FREE
    differing = [
        f"{key}: {before.get(key)!r} there, {now.get(key)!r} here"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not key.startswith(free)
    ]
    if differing:
        shown = differing[:_MOST] + [f"and {len(differing) - _MOST} more"] * (len(differing) > _MOST)
        schedule = any(text.startswith(_LENGTH) for text in differing)
        raise UsageError(
            f"the checkpoints in {folder} are of another run:\n  "
            + "\n  ".join(shown)
            + f"\nSay what was said then (all of it is in {folder / FILE}), or begin anew with another output_dir."
            + " A run can be lengthened where trainer.lr_scheduler_type is constant." * schedule
        )


def _same_tasks(folder: Path, manifest: Mapping[str, Any]) -> None:
    if not (folder / "manifest.json").exists():
        return
    before = read_json(folder / "manifest.json")
    if before["environment"]["hash"] != manifest["environment"]["hash"] or before["tasks"] != manifest["tasks"]:
        raise UsageError(
            f"the checkpoints in {folder} were trained on other tasks, or another version, of "
            f"{manifest['environment']['id']}: go on with what was installed then, or begin anew with another output_dir"
        )


def _flat(data: Any, path: str = "") -> dict[str, Any]:
    """Nested sections as dotted keys; an empty section is None."""
    if not isinstance(data, dict):
        return {path: data}
    found = {path: None} if path and not data else {}
    for name, each in data.items():
        found |= _flat(each, f"{path}.{name}" if path else str(name))
    return found

"""Predictions: the patch that somebody proposes for an instance. Read in each of SWE-bench's forms, written as JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from agentgym.envs.swe.swebench import rows
from agentgym.errors import TaskError
from agentgym.types import Trajectory


class Prediction(BaseModel):
    """`model_patch` None: not attempted; "": submitted without a change. Any patch text is carried as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    instance_id: Annotated[str, StringConstraints(min_length=1)]
    model_name_or_path: str = "None"
    model_patch: str | None = None


def read(path: Path) -> dict[str, Prediction]:
    """By instance, from JSON lines, a JSON list, or a JSON object by id. TaskError naming the line that is wrong."""
    found: dict[str, Prediction] = {}
    for where, row in rows.read(path):
        prediction = rows.parse(Prediction, row, where)
        if prediction.instance_id in found:
            raise TaskError(f"{where}: a second prediction for {prediction.instance_id!r}")
        found[prediction.instance_id] = prediction
    return found


def write(path: Path, predictions: Iterable[Prediction]) -> int:
    """Write predictions as JSON lines. How many."""
    return rows.write(path, (prediction.model_dump() for prediction in predictions))


def of_trajectories(trajectories: Iterable[Trajectory], name: str, sample: int = 0) -> list[Prediction]:
    """One prediction for each task from its episode number `sample`: the patch if it was submitted, else None.

    What failed through no fault of the agent's is left out, so that nobody grades it.
    """
    return [
        Prediction(
            instance_id=trajectory.key.task,
            model_name_or_path=name,
            model_patch=trajectory.artefacts.get("patch", "") if trajectory.end == "submit" else None,
        )
        for trajectory in trajectories
        if trajectory.key.sample == sample and trajectory.status != "failed"
    ]

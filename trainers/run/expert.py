"""The expert of a run's file: stored episodes that CHORD imitates beside training. How, is `trainers/expert.py`'s business."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agentgym.envspec import EnvSpec
from agentgym.errors import TaskError, UsageError
from agentgym.evals.held_out import refuse_held_out
from agentgym.store import Store
from agentgym.trainers.config.sections import Expert
from agentgym.trainers.rollouts import Engine
from agentgym.types import Trajectory


def episodes_of(expert: Expert, spec: EnvSpec, engine: Engine) -> list[Trajectory]:
    """The scored episodes of a folder that `agentgym rollout` wrote, without their tokens: whoever sampled them may
    have had others.

    Raises UsageError if there are none, or if they are of another environment, of other tasks, or of held-out ones.
    """
    folder = Path(expert.rollout)
    if not (folder / "trajectories.jsonl").is_file():
        raise UsageError(f"expert.rollout: {folder} holds no trajectories: `agentgym rollout` writes such a folder")
    episodes = [each for each in Store(folder) if each.status == "scored"]
    if not episodes:
        raise UsageError(f"expert.rollout: no episode in {folder} was scored")
    _check(episodes, spec, engine)
    return [
        replace(each, turns=[replace(t, action=replace(t.action, sample=None)) for t in each.turns])
        for each in episodes
    ]


def _check(episodes: list[Trajectory], spec: EnvSpec, engine: Engine) -> None:
    if others := {each.spec for each in episodes} - {spec.id}:
        raise UsageError(f"expert.rollout: its episodes are of {', '.join(sorted(others))}, and env is {spec.id}")
    task_set = engine.runtime.tasks(spec)
    found = {each.key.task: each.task_hash for each in episodes}
    try:
        tasks = [engine.run(task_set.get(id)) for id in found]
    except TaskError as error:
        raise UsageError(f"expert.rollout: {error}") from error
    if changed := [task.id for task in tasks if task.hash != found[task.id]]:
        raise UsageError(f"expert.rollout: task {changed[0]} is another now than when it was played")
    refuse_held_out(tasks)

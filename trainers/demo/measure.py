"""What the demo measures on held-out tasks, and the blind search that it is measured against. Verdicts are the tests'."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agentgym.evals.metrics import Rate, rate
from agentgym.policy import Context, Scripted
from agentgym.trainers.demo.expert import given
from agentgym.trainers.demo.stage import Stage
from agentgym.types import Action, ToolCall, Trajectory

Verdicts = Mapping[tuple[str, int], bool]
"""Whether candidate `choice` of a task's line passes the tests, by (task, choice)."""

_CHOICE = re.compile(r"^(\d+): ", re.M)


class Blind(BaseModel):
    """What needs no model: one candidate of the line drawn at random (`once`), and all tried with the tests at hand."""

    once: float
    exhaustive: float
    candidates: float


class Arm(BaseModel):
    """One model on the held-out episodes, sampled at temperature 1; intervals are Wilson's, 95 %.

    first_edit: of the episodes with an edit, the share whose first one passes the tests; `first_edit_chance` is what
    drawing at random among the same lines' candidates gives.
    """

    name: str
    episodes: int
    failed: int
    completion: Rate
    modification: Rate
    resolve: Rate
    first_edit: Rate | None
    first_edit_chance: float | None
    reward: float
    turns: float


def measure(name: str, trajectories: Sequence[Trajectory], verdicts: Verdicts) -> Arm:
    """The numbers of one arm. An episode that was cut or never submitted counts as not completed, not as absent."""
    scored = [trajectory for trajectory in trajectories if trajectory.record is not None]
    edits = [(t.key.task, choice) for t in scored if (choice := first_choice(t)) is not None]
    known = [edit for edit in edits if edit in verdicts]
    return Arm(
        name=name,
        episodes=len(trajectories),
        failed=len(trajectories) - len(scored),
        completion=_rate(scored, "completion"),
        modification=_rate(scored, "modification"),
        resolve=_rate(scored, "resolved"),
        first_edit=rate([float(verdicts[edit]) for edit in known]),
        first_edit_chance=_mean([_chance(task, verdicts) for task, _ in known]),
        reward=_mean([t.record.total for t in scored if t.record is not None]) or 0.0,
        turns=_mean([float(len(t.turns)) for t in scored]) or 0.0,
    )


def first_choice(trajectory: Trajectory) -> int | None:
    """The candidate that the episode's first effective `apply` chose."""
    for turn in trajectory.turns:
        for call, result in zip(turn.action.calls, turn.info.calls, strict=False):
            if call.name == "apply" and result.ok and result.effective:
                return int(json.loads(call.arguments)["choice"])
    return None


def blind(verdicts: Verdicts) -> Blind:
    tasks = sorted({task for task, _ in verdicts})
    return Blind(
        once=_mean([_chance(task, verdicts) for task in tasks]) or 0.0,
        exhaustive=_mean([float(_chance(task, verdicts) > 0) for task in tasks]) or 0.0,
        candidates=len(verdicts) / max(len(tasks), 1),
    )


def judge_candidates(stage: Stage) -> dict[tuple[str, int], bool]:
    """The tests' verdict on every candidate of every held-out task's line, by playing it: apply it, submit."""
    verdicts: dict[tuple[str, int], bool] = {}
    choice, tasks = 1, list(stage.held_out)
    while tasks:
        left = []
        played = stage.play(_candidate(choice), tasks, name=f"candidate-{choice}")
        for task, trajectory in zip(tasks, played, strict=True):
            offered = _offered(trajectory)
            if choice < offered and trajectory.success is not None:
                verdicts[task.id, choice] = trajectory.success == 1.0
            if choice + 1 < offered:
                left.append(task)
        tasks, choice = left, choice + 1
    return verdicts


def _candidate(choice: int) -> Scripted:
    def play(context: Context) -> Action:
        settled = given(context)
        here: dict[str, Any] = {name: settled[name] for name in ("path", "line") if name in settled}
        plan: list[tuple[str, dict[str, Any]]] = [
            ("suggest", here),
            ("apply", {**here, "choice": choice}),
            ("submit", {}),
        ]
        name, arguments = plan[context.turn]
        return Action(calls=(ToolCall(f"call_{context.turn}", name, json.dumps(arguments)),))

    return Scripted(f"candidate-{choice}", play)


def _offered(trajectory: Trajectory) -> int:
    """How many rewrites `suggest` listed, the line as it is included."""
    if len(trajectory.turns) < 2:
        return 0
    return len(_CHOICE.findall(trajectory.turns[1].observation.messages[0].text))


def _chance(task: str, verdicts: Verdicts) -> float:
    found = [float(right) for (other, _), right in verdicts.items() if other == task]
    return sum(found) / len(found) if found else 0.0


def _rate(scored: Sequence[Trajectory], channel: str) -> Rate:
    values = [
        float(each.value or 0.0)
        for trajectory in scored
        if trajectory.record is not None
        for each in trajectory.record.channels
        if each.name == channel
    ]
    return rate(values) or Rate(mean=0.0, low=0.0, high=1.0, n=0)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

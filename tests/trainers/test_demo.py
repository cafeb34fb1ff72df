"""The demo's parts without a model or a box: the fallible expert, what is given, what is measured, the report."""

import json

import pytest

pytest.importorskip("torch")

from agentgym import Channel, Environment, Rubric, Scripted, tool
from agentgym.evals.metrics import Rate
from agentgym.policy import Context
from agentgym.tasks import Task
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.controls import shuffled
from agentgym.trainers.demo.expert import Fallible, given
from agentgym.trainers.demo.measure import Arm, Blind, blind, first_choice, measure
from agentgym.trainers.demo.report import markdown
from agentgym.trainers.demo.run import DemoReport
from agentgym.types import (
    Action,
    CallResult,
    EpisodeKey,
    Info,
    Message,
    Observation,
    Score,
    ToolCall,
    Trajectory,
    Turn,
)


class Desk(Environment):
    @tool
    def view(self, path: str, start: int | None = None, end: int | None = None) -> str:
        """View."""
        return ""

    @tool
    def apply(self, path: str, line: int, choice: int) -> str:
        """Apply."""
        return ""

    @tool
    def submit(self) -> str:
        """Submit."""
        return ""


HINT = "Something broke.\n\nHint: the mistake is in src/a.py, near line 12.\n\nLook at it."


def context(seed: int = 0, text: str = HINT) -> Context:
    tools = list(Desk.toolbox.values())
    return Context([Message("user", text)], tools, Observation(), Task("t", "e/x-v0", {}), seed=seed)


def call(name: str, **arguments) -> Action:
    return Action(calls=(ToolCall("c", name, json.dumps(arguments)),))


RUBRIC = Rubric(
    (
        Channel("outcome", "outcome", priority=1, threshold=0.0),
        *(Channel(name, "metric") for name in ("resolved", "completion", "modification")),
    ),
    success="resolved",
)


def episode(task: str, *choices: int, rank: int = 2, status: str = "scored", sample: int = 0) -> Trajectory:
    turns = [
        Turn(
            Observation(),
            call("apply", path="a", line=1, choice=choice),
            0.0,
            Info(calls=(CallResult("c", "apply", True, effective=choice > 0),)),
        )
        for choice in choices
    ]
    scores = [
        ("outcome", max(rank - 1, 0)),
        ("resolved", rank == 3),
        ("completion", rank > 0),
        ("modification", rank > 1),
    ]
    record = RUBRIC([Score(name, float(value)) for name, value in scores], max(len(turns), 1))
    key = EpisodeKey("run", task, sample)
    return Trajectory(key, "e/x-v0", "", 0, task, turns, status, record=record if status == "scored" else None)


def test_the_hint_settles_file_and_lines():
    assert given(context()) == {"path": "src/a.py", "line": 12, "start": 10, "end": 14}
    assert given(context(text="no hint")) == {}


async def test_the_expert_errs_as_often_as_told_and_only_in_what_can_be_said():
    right = Scripted("expert", lambda context: call("view", path="src/a.py", start=1, end=99))
    slips = 0
    for seed in range(400):
        (action,) = await Fallible(right, 0.4).act(context(seed))
        arguments = json.loads(action.calls[0].arguments)
        assert {**given(context()), **arguments} == {**arguments, **given(context())}
        slips += action.calls[0].name != "view"
    assert pytest.approx(slips, abs=40) == 0.4 * 2 / 3 * 400
    assert await Fallible(right, 0.4).act(context(7)) == await Fallible(right, 0.4).act(context(7))


def test_the_first_edit_is_the_first_that_changed_something():
    assert first_choice(episode("t", 0, 3, 1)) == 3
    assert first_choice(episode("t")) is None


def test_an_arm_counts_failed_episodes_apart_and_compares_first_edits_with_chance():
    verdicts = {("a", 1): True, ("a", 2): False, ("b", 1): False, ("b", 2): False, ("b", 3): True}
    played = [episode("a", 1, rank=3), episode("b", 1, 3, rank=3), episode("b", rank=0), episode("c", status="failed")]
    arm = measure("x", played, verdicts)
    assert (arm.episodes, arm.failed, arm.completion.n) == (4, 1, 3)
    assert arm.completion.mean == pytest.approx(2 / 3)
    assert arm.resolve.mean == pytest.approx(2 / 3)
    assert arm.first_edit.mean == 0.5
    assert arm.first_edit_chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert blind(verdicts).once == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (blind(verdicts).exhaustive, blind(verdicts).candidates) == (1.0, 2.5)


def test_shuffling_keeps_each_groups_rewards():
    played = [episode(task, 1, rank=rank, sample=n) for task in "ab" for n, rank in enumerate((0, 2, 3))]
    played.append(episode("a", status="failed"))
    before = [0.0 if t.record is None else t.record.total for t in played]
    draws = [[turns[-1] for turns in shuffled(seed)(played)] for seed in range(8)]
    after = next(draw for draw in draws if draw != before)
    assert sorted(after[:3]) == sorted(before[:3])
    assert sorted(after[3:6]) == sorted(before[3:6])
    assert after[6] == 0.0


def test_the_report_says_when_nothing_rose(tmp_path):
    rate = Rate(mean=0.5, low=0.4, high=0.6, n=100)
    arm = Arm(
        name="before", episodes=100, failed=0, completion=rate, modification=rate, resolve=rate, first_edit=None,
        first_edit_chance=None, reward=1.0, turns=3.0,
    )  # fmt: skip
    report = DemoReport(
        env="e/x-v0", config=DemoConfig(), before=arm, after=arm, control=arm, blind=Blind(once=0.25, exhaustive=1, candidates=4),
        grpo_step=8, looks=[], log=[], seconds={"GRPO": 61.4}, rose=False, folder=tmp_path,
    )  # fmt: skip
    text = markdown(report)
    assert "did NOT rise" in text
    assert "0.500 [0.400, 0.600]" in text
    assert "drawn at random resolves 0.250" in text
    assert str(tmp_path) in text

"""CHORD from a run's file: a stored rollout is imitated beside training; what can not be imitated is refused by name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from agentgym import Runtime, registry
from agentgym.errors import UsageError
from agentgym.rollout import collect
from agentgym.store import Store
from agentgym.trainers.config import read
from tests.trainers.run.runs import TOY, config_of, metrics, train


def stored(folder: Path, split: str = "train") -> Path:
    """What `agentgym rollout` leaves of the oracle's episodes."""
    spec, store = registry.find(str(TOY)), Store(folder)

    async def play() -> None:
        async with Runtime() as runtime:
            tasks = await runtime.tasks(spec).take(split, 4)
            async for _ in collect(spec, spec.policies["oracle"](), tasks, runtime=runtime, store=store):
                pass

    asyncio.run(play())
    return folder


def chord(folder: Path) -> list[str]:
    return ["trainer.chord={mu: 0.5, form: plain, batch: 4}", f"expert.rollout={folder}"]


@pytest.mark.slow
def test_a_stored_rollout_is_imitated(tmp_path: Path) -> None:
    alone = ["trainer.chord.mu=1", "warm_start.steps=5"]  # the expert's loss without the policy's, and much to learn
    train(tmp_path / "run", *chord(stored(tmp_path / "oracle")), *alone)
    losses = [each["agent/expert_loss"] for each in metrics(tmp_path / "run")]
    assert len(losses) == 4 and 0 < losses[-1] < losses[0]


def test_what_can_not_be_imitated_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    def said(folder: Path) -> str:
        with pytest.raises(UsageError) as told:
            train(tmp_path / "run" / folder.name, *chord(folder))
        return str(told.value)

    assert "nowhere holds no trajectories: `agentgym rollout` writes such a folder" in said(tmp_path / "nowhere")
    assert "held-out tasks" in said(stored(tmp_path / "test", "test"))
    (trajectory, *_) = Store(stored(tmp_path / "oracle"))
    for name, change, words in (
        ("other", {"spec": "toy/other-v0"}, "its episodes are of toy/other-v0, and env is toy/echo-v0"),
        ("changed", {"task_hash": "0"}, "is another now than when it was played"),
        ("failed", {"status": "failed", "record": None}, "was scored"),
    ):
        Store(tmp_path / name).append(replace(trajectory, **change))
        assert words in said(tmp_path / name)
    assert not list((tmp_path / "run").glob("*/start"))


def test_chord_and_an_expert_go_together(tmp_path: Path) -> None:
    for alone in chord(tmp_path):
        with pytest.raises(UsageError, match=r"give both trainer\.chord and expert\.rollout"):
            config_of(tmp_path, alone)


def test_a_rollout_lies_beside_the_runs_file(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("expert: {rollout: oracle}\n")
    least = ["env=a/b-v0", "model.name=smollm2", "output_dir=out", "trainer.chord.mu=0.1"]
    config = read(tmp_path / "run.yaml", least)
    assert config.expert is not None and config.expert.rollout == str(tmp_path / "oracle")

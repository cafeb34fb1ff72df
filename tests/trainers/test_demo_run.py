"""The whole demo in small, on an environment of data: every phase runs, and the held-out tasks are opened last."""

import pytest

pytest.importorskip("torch")

from agentgym import Channel, Environment, EnvSpec, Limits, Rubric, Scripted, Task, TaskList, Verifier, tool
from agentgym.registry import register
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.controls import run_controls
from agentgym.trainers.demo.report import write
from agentgym.trainers.demo.run import run_demo
from agentgym.types import Action, Reply, Score, ToolCall

ID = "toy/lines-v0"
RIGHT, OFFERED = 2, 3
played: list[str] = []


class Lines(Environment):
    async def on_reset(self) -> str:
        played.append(self.task.split)
        self.now = 0
        return "Hint: the mistake is in a.py, near line 3."

    @tool
    def suggest(self, path: str, line: int) -> str:
        """List."""
        return "\n".join(f"{number}: x = {number}" for number in range(OFFERED + 1))

    @tool
    def apply(self, path: str, line: int, choice: int) -> Reply:
        """Choose."""
        changed, self.now = choice != self.now and choice <= OFFERED, choice
        return Reply("ok", effective=changed)

    @tool
    def submit(self) -> str:
        """Hand in."""
        self.end("submit")
        return "bye"

    async def artefacts(self) -> dict[str, str]:
        return {"choice": str(self.now)}


class LinesVerifier(Verifier):
    name = "lines"

    async def verify(self, evidence, runtime):
        submitted, choice = evidence.end == "submit", int(evidence.artefacts["choice"])
        rank = 0 if not submitted else 1 if not choice else 3 if choice == RIGHT else 2
        values = {
            "outcome": max(rank - 1, 0),
            "resolved": rank == 3,
            "completion": rank > 0,
            "modification": rank > 1,
        }
        return [Score(name, float(value)) for name, value in values.items()]


def scripted(*calls: str) -> Scripted:
    arguments = {"apply": f'{{"path": "a.py", "line": 3, "choice": {RIGHT}}}', "submit": "{}"}
    return Scripted(
        "s", lambda context: Action(calls=(ToolCall("c", calls[context.turn], arguments[calls[context.turn]]),))
    )


def registered() -> None:
    tasks = [
        Task(f"{split}{n}", ID, {"package": split}, split=split)
        for split in ("train", "validation", "test")
        for n in range(4)
    ]
    channels = [Channel("outcome", "outcome", priority=1, threshold=0.0)]
    channels += [Channel(name, "metric") for name in ("resolved", "completion", "modification")]
    spec = EnvSpec(
        ID,
        Lines,
        lambda config, runtime: TaskList(tasks),
        LinesVerifier(),
        Rubric(tuple(channels), success="resolved"),
        limits=Limits(turns=4),
        policies={"oracle": lambda: Expert(), "noop": lambda: scripted("submit")},
    )
    from agentgym import registry

    registry._registered.pop(ID, None)
    register(spec)


class Expert:
    """Applies the right line, then submits: told from the conversation, so that it survives slips."""

    name, privileged = "oracle", True

    async def act(self, context, n=1):
        done = any(message.text == "ok" for message in context.messages)
        return await scripted(*["submit" if done else "apply"] * 9).act(context, n)


def config(folder, **more) -> DemoConfig:
    small = {
        "train_tasks": 4, "validation_tasks": 2, "held_out_episodes": 4, "audited": 2, "taught_per_task": 6,
        "vocabulary": 330, "hidden": 32, "layers": 1, "sft_steps": 30, "sft_batch": 8, "grpo_steps": 2, "groups": 2,
        "group_size": 2, "look_every": 1, "threads": 1, "turns": 4,
    }  # fmt: skip
    return DemoConfig(env=ID, options={}, folder=folder, **{**small, **more})


@pytest.fixture(autouse=True)
def fresh():
    registered()
    played.clear()


@pytest.mark.slow
def test_every_phase_runs_and_held_out_tasks_come_last(tmp_path):
    said = []
    report = run_demo(config(tmp_path / "run"), said.append)
    first = played.index("test")
    assert set(played[first:]) == {"test"}
    assert report.blind.once == pytest.approx(1 / OFFERED)
    assert (report.blind.exhaustive, report.blind.candidates) == (1.0, OFFERED)
    assert [arm.episodes for arm in (report.before, report.after, report.control)] == [4, 4, 4]
    assert len(report.looks) == 2
    text = write(report).read_text()
    assert str(report.folder) in text
    for name in ("before", "after", "control"):
        assert (report.folder / "models" / name / "model.safetensors").is_file()
        assert (report.folder / "episodes" / f"held-out-{name}" / "trajectories.jsonl").is_file()
    assert (report.folder / "manifest.json").is_file()
    assert run_demo(config(tmp_path / "run", audited=0), said.append).folder.name == "run-2"


@pytest.mark.slow
def test_controls_write_a_table_for_each_seed(tmp_path):
    found = run_controls(config(tmp_path / "run", controls_seeds=(0, 1)), lambda text: None)
    assert len(found) == 2 * 6
    text = (tmp_path / "run" / "controls.md").read_text()
    assert text.count("gated, shuffled") == 4
    assert "## Seed 1" in text

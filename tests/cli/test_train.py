"""`agentgym train`: a file and KEY=VALUE, resumed after Ctrl-C, the trained model played by `eval`; mistakes are told."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

ENV = "toy/echo-v0"
FILE = f"""\
env: {ENV}
model: {{scratch: {{hidden: 32, layers: 1, context: 128, vocabulary: 300}}}}
warm_start: {{samples: 2, steps: 20, learning_rate: 1e-2}}
trainer:
  max_steps: 1
  lr_scheduler_type: constant
  per_device_train_batch_size: 8
  num_generations: 4
  max_new_tokens: 8
  use_cpu: true
eval: {{split: validation}}
output_dir: trained
"""


@pytest.fixture
def file(shell: Shell) -> Path:
    path = shell.folder / "run.yaml"
    path.write_text(FILE)
    return path


@pytest.mark.slow
def test_a_model_is_trained_measured_saved_and_evaluated(shell: Shell, file: Path) -> None:
    trained = shell("train", "run.yaml", "trainer.learning_rate=1e-5", "trainer.max_steps=2")
    assert trained.returncode == 0, trained.stderr
    told = [line for line in trained.stderr.splitlines() if line.strip()]
    assert [line.partition(":")[0] for line in told] == [
        *("warm start", "step 1/2", "step 2/2", "trained 2 steps on 4 tasks; the model is in trained/model")
    ]
    assert "4 episodes of 4 tasks" in trained.stdout
    assert "learning_rate: 1.0e-05" in (shell.folder / "trained" / "run.yaml").read_text()

    done = shell("eval", ENV, "--policy", "local:trained/model", "--max-tokens", "8", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["policy"], report["scored"]) == ("local:trained/model", 4)


@pytest.mark.slow
def test_ctrl_c_and_resume(shell: Shell, file: Path) -> None:
    running = shell.start("train", "run.yaml", "trainer.max_steps=1000", "trainer.save_steps=1")
    deadline = time.monotonic() + 200
    while not (shell.folder / "trained" / "checkpoint-2" / "trainer_state.json").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130 and "Traceback" not in told

    again = shell("train", "run.yaml")
    assert again.returncode == 2 and "add --resume" in again.stderr
    steps = [int(path.name.partition("-")[2]) for path in (shell.folder / "trained").glob("checkpoint-*")]
    end = max(steps) + 1
    resumed = shell("train", "run.yaml", f"trainer.max_steps={end}", "trainer.save_steps=1", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    logged = [json.loads(line) for line in (shell.folder / "trained" / "metrics.jsonl").read_text().splitlines()]
    assert [each["step"] for each in logged if "loss" in each] == list(range(1, end + 1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to run"),
        (["missing.yaml"], "no file missing.yaml"),
        ([ENV], f"'{ENV}' is no .yaml file"),
        (["run.yaml", "--out", "here"], "--out is for --recipe demo"),
        (["run.yaml", "trainer.learning_rate=[1"], "trainer.learning_rate: not YAML"),
    ],
)
def test_mistakes_are_told(shell: Shell, file: Path, arguments: list[str], said: str) -> None:
    done = shell("train", *arguments)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_model_that_is_not_there_is_told(shell: Shell) -> None:
    done = shell("eval", ENV, "--policy", "local:missing", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "no model 'missing'" in done.stderr

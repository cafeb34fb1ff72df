"""`agentgym train` end to end on a tiny model, and the trained model played by `eval`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentgym.trainers.models import save, small_model, train_tokenizer
from tests.cli.conftest import Shell

ENV = "toy/echo-v0"


@pytest.mark.slow
def test_a_model_is_trained_saved_and_evaluated(shell: Shell, tmp_path: Path) -> None:
    tokenizer = train_tokenizer([f"Say word{n}. say word{n}" for n in range(12)], size=300)
    save(tmp_path / "tiny", small_model(tokenizer, hidden=32, layers=1, context=256), tokenizer)
    options = ["use_cpu=true", "max_new_tokens=8", "per_device_train_batch_size=8"]
    trained = shell(
        *("train", ENV, "--recipe", "grpo", "--model", str(tmp_path / "tiny"), "--steps", "1", "--out", "trained"),
        *(part for option in options for part in ("--option", option)),
    )
    assert trained.returncode == 0, trained.stderr
    assert "trained on 4 tasks" in trained.stderr

    done = shell("eval", ENV, "--policy", "local:trained/model", "--max-tokens", "8", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["policy"], report["scored"]) == ("local:trained/model", 4)


def test_a_model_that_is_not_there_is_told(shell: Shell) -> None:
    done = shell("eval", ENV, "--policy", "local:missing", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "no model 'missing'" in done.stderr

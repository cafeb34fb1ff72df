"""Ctrl-C in the middle of a run: what ended is stored, and the printed command goes on from there."""

from __future__ import annotations

import json
import shlex
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or len(path.read_bytes().splitlines()) < count:
        assert time.monotonic() < deadline, f"{path} never had {count} lines"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "background"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)]
)
def test_an_interrupted_run_is_resumed(shell: Shell, how: signal.Signals, background: bool) -> None:
    arguments = ["rollout", "toy/echo-v0", "--policy", "oracle", "--set", "number=60", "--concurrency", "2"]
    process = shell.start(*arguments, background=background, TOY_SLEEP="0.2")
    folder = None
    deadline = time.monotonic() + 60
    while folder is None and time.monotonic() < deadline:
        folder = next((shell.folder / "runs").glob("*"), None) if (shell.folder / "runs").exists() else None
        time.sleep(0.02)
    assert folder is not None
    wait_for_lines(folder / "trajectories.jsonl", 3)
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in errors
    lines = (folder / "trajectories.jsonl").read_text().splitlines()
    done = {json.loads(line)["key"]["task"] for line in lines}
    assert 3 <= len(done) < 20
    assert f"{len(done)} episodes are stored" in errors

    command = shlex.split(errors.strip().splitlines()[-1])
    resumed = shell(*command[1:], "--json")
    assert resumed.returncode == 0, resumed.stderr
    report = json.loads(resumed.stdout)
    assert (report["episodes"], report["scored"]) == (20, 20)
    after = (folder / "trajectories.jsonl").read_text().splitlines()
    assert after[: len(lines)] == lines
    assert len(after) == 20

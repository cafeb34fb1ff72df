"""`agentgym` as a person runs it: in a process of its own, in an empty folder, with the toy installed as a plug-in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.py")
COMMAND = [sys.executable, "-c", "from agentgym.cli import main; main()"]


@dataclass
class Shell:
    """Runs commands in `folder`; `environment` has the plug-in on its path."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **variables}
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )

    def start(self, *arguments: str, background: bool = False, **variables: str) -> subprocess.Popen[str]:
        """As a shell would in the foreground, or in the background, where Ctrl-C is ignored."""
        heed = signal.SIG_IGN if background else signal.SIG_DFL
        return subprocess.Popen(
            [*COMMAND, *arguments],
            preexec_fn=lambda: signal.signal(signal.SIGINT, heed),
            cwd=self.folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def install_toy(site: Path) -> Path:
    """What `pip install` of a plug-in leaves in a site folder."""
    info = site / "toyenv-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(TOY, site / "toyenv.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toyenv\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[agentgym.environments]\ntoy/echo-v0 = toyenv:SPEC\ntoy/broken-v0 = toyenv:NOTHING\n"
        "[agentgym.commands]\ntoy = toyenv:shout\nbroken = nowhere:main\nlist = toyenv:shout\n"
    )
    return site


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    site = install_toy(tmp_path / "site")
    folder = tmp_path / "work"
    folder.mkdir()
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "TERM": "dumb", "AGENTGYM_CACHE": str(tmp_path)}
    return Shell(folder, environment)


@pytest.fixture
def run_of(shell: Shell) -> Callable[..., Path]:
    """A finished run of a policy."""

    def play(policy: str, name: str, *more: str) -> Path:
        done = shell("rollout", "toy/echo-v0", "--policy", policy, "--out", name, *more)
        assert done.returncode == 0, done.stderr
        return shell.folder / name

    return play

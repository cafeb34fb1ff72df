"""`agentgym gui`, as its user calls it."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from agentgym.envs.gui.commands import main as gui
from agentgym.envs.gui.screens import generate as generating
from agentgym.errors import UsageError

RECORD = {"id": "t", "img_filename": "a.png", "bbox": [20, 30, 60, 50], "img_size": [200, 100], "instruction": "ok", "ui_type": "icon", "platform": "web"}  # fmt: skip


def test_screens(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AGENTGYM_CACHE", str(tmp_path))
    monkeypatch.setattr(generating, "SHARD", 5)
    gui(["screens", "--samples", "1", "--sources", "miniwob", "--split", "validation"])
    said = json.loads(capsys.readouterr().out)
    assert said["samples"] == 5 and said["sites"] == {"miniwob": 5}
    assert len(list((tmp_path / "gui").glob("*/validation-0/samples.jsonl"))) == 1
    with pytest.raises(UsageError, match="no source nowhere"):
        gui(["screens", "--sources", "nowhere"])


@pytest.mark.slow
def test_screenspots_report_of_a_run(tmp_path, capsys):
    Image.new("RGB", (200, 100), "white").save(tmp_path / "a.png")
    file = tmp_path / "pro.json"
    file.write_text(json.dumps([RECORD]))
    play = f"rollout gui/grounding-v0 --policy oracle --split test --limit 1 --out run --set file={file}".split()
    command = [sys.executable, "-c", "from agentgym.cli import main; main()", *play]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    gui(["screenspot", str(tmp_path / "run"), str(file)])
    assert json.loads(capsys.readouterr().out)["web"] == {"icon": 1.0, "all": 1.0, "n": 1}
    with pytest.raises(UsageError, match="no run's folder"):
        gui(["screenspot", str(tmp_path), str(file)])

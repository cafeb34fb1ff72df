"""The command in small: every experiment runs, and what it writes can be written again."""

import pytest

pytest.importorskip("torch")

from agentgym.trainers.learning.__main__ import main

SMALL = ["--smoke", "--seeds", "0", "--jobs", "1"]


@pytest.mark.slow
def test_every_experiment_writes_its_numbers(tmp_path, capfd):
    assert main([*SMALL, "--out", str(tmp_path)]) == 1  # nothing is learnt in one batch, and it says so
    text = (tmp_path / "results.md").read_text()
    for name in ("lookup", "doors", "chain"):
        assert f"## {name}" in text
        assert (tmp_path / f"{name}.png").is_file()
    assert "turn-level reaches .9" in text
    assert "did **not** appear" in text
    assert "doors, seed 0, summed: success" in capfd.readouterr().out
    (tmp_path / "results.md").unlink()
    assert main(["--again", "--out", str(tmp_path)]) == 1
    assert (tmp_path / "results.md").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "told"), [(["guess"], "no experiment 'guess'"), (["--again"], "holds no results.json")]
)
def test_what_can_not_be_is_told(arguments, told, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--out", str(tmp_path)])
    assert end.value.code == 2
    assert told in capsys.readouterr().err

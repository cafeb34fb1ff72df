"""The journal: what was put is there again, what is cut or damaged is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentgym.envs.swe.generate.journal import Journal


def test_what_was_put_is_there_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.put("a", {"tests": ("x\ny", "ü")})
    journal.put("b", 1)
    journal.put("b", 2)
    again = Journal(tmp_path / "j")
    assert again.get("a") == journal.get("a") == {"tests": ["x\ny", "ü"]}
    assert again.get("b") == 2 and again.get("c") is None


@pytest.mark.parametrize("left", range(0, 200, 7))
def test_a_line_that_was_cut_reads_as_absent_and_harms_no_other(left: int, tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.put("a", 1)
    whole = len(path.read_bytes())
    journal.put("b", list(range(40)))
    path.write_bytes(path.read_bytes()[: min(whole + left, len(path.read_bytes()) - 2)])
    again = Journal(path)
    assert again.get("a") == 1 and again.get("b") is None
    again.put("c", 3)
    assert Journal(path).get("c") == 3 and Journal(path).get("a") == 1


def test_a_value_that_was_altered_reads_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).put("a", {"rule": "kept"})
    path.write_bytes(path.read_bytes().replace(b"kept", b"keen"))
    assert Journal(path).get("a") is None

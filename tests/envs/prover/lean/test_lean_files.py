"""Problems in Lean form from the user's files: the forms of miniF2F and PutnamBench, with problems of our own."""

import json

import pytest

from agentgym.envs.prover.lean.files import load
from agentgym.errors import TaskError

HEADER = "import Mathlib\nopen BigOperators Real Nat Topology Rat\n"
PUTNAM = """import Mathlib
open Finset

-- how many subsets has a set of three elements
noncomputable abbrev own_2024_a1_solution : ℕ := sorry
-- 8
/--
How many subsets has a set of three elements? No sorry here.
-/
theorem own_2024_a1 : (Finset.powerset {1, 2, 3}).card = own_2024_a1_solution :=
  sorry
"""


async def test_minif2f_lines(tmp_path):
    path = tmp_path / "own.jsonl"
    rows = [
        {"name": "own_algebra_1", "split": "valid", "header": HEADER, "informal_stmt": "?", "formal_statement": "theorem own_algebra_1\n  (x : ℝ) (h : 2 * x = 4) : x = 2 := by\n"},
        {"name": "own_algebra_2", "split": "test", "header": HEADER, "formal_statement": "theorem own_algebra_2 : 1 + 1 = 2 := sorry"},
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    tasks = load(path)
    assert (tasks.size("validation"), tasks.size("test")) == (1, 1)
    first, second = await tasks.get("own_algebra_1"), await tasks.get("own_algebra_2")
    assert first.payload["statement"] == "theorem own_algebra_1\n  (x : ℝ) (h : 2 * x = 4) : x = 2 := by"
    assert first.payload["header"] == HEADER.strip() and first.secret["assumptions"][0] == "propext"
    assert second.payload["statement"] == "theorem own_algebra_2 : 1 + 1 = 2 := by"


async def test_lean_files(tmp_path):
    """The open answer of a PutnamBench problem is put in; a file without one stays as it is."""
    (tmp_path / "own_2024_a1.lean").write_text(PUTNAM)
    (tmp_path / "own_2024_b1.lean").write_text(f"{HEADER}namespace Own\ntheorem own : True := by sorry\nend Own\n")
    tasks = load(tmp_path)
    task = await tasks.get("own_2024_a1")
    assert "abbrev own_2024_a1_solution : ℕ := 8" in task.payload["header"]
    assert task.payload["name"] == "own_2024_a1" and task.payload["statement"].endswith("own_2024_a1_solution := by")
    other = await tasks.get("own_2024_b1")
    assert (
        other.payload["header"].endswith("namespace Own") and other.payload["statement"] == "theorem own : True := by"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1"),
        ("[]", "line 1"),
        ('{"name": "x"}', "formal_statement"),
        ('{"name": 1, "formal_statement": "x"}', "text"),
        ('{"name": "x", "formal_statement": "theorem x : True := trivial"}', "no theorem"),
        ('{"name": "x", "formal_statement": "def x := by sorry"}', "no theorem"),
        ('{"name": "x", "split": "nowhere", "formal_statement": "theorem x : True := by sorry"}', "no split"),
        ('{"name": "x", "header": "abbrev a : Nat := sorry", "formal_statement": "theorem x : a = a := by"}', "answer"),
        ("", "no problems"),
        ('{"name": "x", "formal_statement": "theorem x : True := by"}\n' * 2, "one name"),
    ],
)
def test_files_without_a_problem(tmp_path, text, why):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(TaskError, match=why):
        load(path)
    with pytest.raises(TaskError, match="no problems"):
        load(tmp_path)
    with pytest.raises(TaskError, match="split"):
        load(path, "holdout")

"""Releases taken apart: whatever hunks are put back, the oracle of what is left gives the fix version."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.swe import diffs
from agentgym.envs.swe.hunks import Hunk, groups, hunks, owners, put_back
from agentgym.errors import TaskError

LINES = st.lists(
    st.sampled_from(["a = 1\n", "b = 2\n", "\n", "# c\n", "d = [\n", "\x0c", "e\u2028 = 3\r\n", "ü"]), max_size=25
)


@given(LINES, LINES, st.data())
def test_the_oracle_of_any_hunks_put_back_is_the_fix(old: list[str], new: list[str], data: st.DataObject) -> None:
    base, fix = "".join(old), "".join(new)
    found = hunks("m.py", base, fix)
    assert put_back(found, base, fix) == base and put_back([], base, fix) == fix
    chosen = [hunk for hunk in found if data.draw(st.booleans())]
    broken = put_back(chosen, base, fix)
    assert (broken == fix) == (not chosen)
    for patch in diffs.parse(diffs.make("m.py", broken, fix)):
        assert diffs.apply(patch, broken) == fix
    rest = [hunk for hunk in found if hunk not in chosen]
    assert sum(hunk.size for hunk in [*chosen, *rest]) == sum(hunk.size for hunk in found)


BODIES = st.lists(st.sampled_from(["    x = 1\n", "    y = 2\n", "    # z\n", "    x += y\n"]), min_size=0, max_size=8)


@given(st.lists(st.tuples(BODIES, BODIES), min_size=1, max_size=5))
def test_a_group_is_of_one_function_and_changes_code(functions: list[tuple[list[str], list[str]]]) -> None:
    base, fix = (
        "".join(f"def f{n}():\n{''.join(both[side])}    return {n}\n\n\n" for n, both in enumerate(functions))
        for side in (0, 1)
    )
    seen: set[Hunk] = set()
    for group in groups("m.py", base, fix):
        text = put_back(group, base, fix)
        assert compile(text, "m.py", "exec") and text != fix
        changed = [n for n in range(len(functions)) if _part(text, n) != _part(fix, n)]
        assert len(group) == 1 or len(changed) == 1
        assert seen.isdisjoint(group)
        seen |= set(group)
    if [_code(old) for old, _ in functions] == [_code(new) for _, new in functions]:
        assert not seen


def _part(text: str, number: int) -> str:
    found = re.search(rf"def f{number}\(\):\n(.*?)    return {number}\n", text, re.S)
    return found[1] if found else ""


def _code(lines: list[str]) -> list[str]:
    return [line for line in lines if "#" not in line]


def test_comments_docstrings_and_annotations_are_no_hunks_of_their_own() -> None:
    base = 'def f(a: int):\n    """Old."""\n    return 1\n\n\n# old\n\n\ndef g():\n    return 1\n'
    fix = (
        base.replace("Old", "New")
        .replace("# old", "# new")
        .replace(": int", ": str")
        .replace("g():\n    return 1", "g():\n    return 2")
    )
    (group,) = groups("m.py", base, fix)
    assert [hunk.size for hunk in group] == [2] and owners(fix, [group[0].fix_lines[0]]) == ["g"]


def test_two_changes_of_one_function_are_one_group() -> None:
    base = "def f(a):\n    a += 1\n    b = a\n    c = b\n    d = c\n    return d\n"
    fix = base.replace("+= 1", "+= 2").replace("return d", "return d + 1")
    assert [len(group) for group in groups("m.py", base, fix)] == [2] and len(hunks("m.py", base, fix)) == 2


@pytest.mark.parametrize(("old", "new"), [("x = 1", "x = 2"), ("y", "yy"), ("z = 4\n", "")])
def test_other_sources_than_the_task_was_made_from_are_noticed(old: str, new: str) -> None:
    base, fix = "x = 1\ny\nz = 3\n", "x = 5\ny\nz = 4\n"
    found = hunks("m.py", base, fix)
    assert put_back(found, base, fix) == base
    if old in base:
        assert put_back(found, base, fix) != base.replace(old, new)
    with pytest.raises(TaskError, match=r"m\.py, line \d: not the lines"):
        put_back([found[0].model_copy(update={"sha256": "0" * 64})], base, fix)
    with pytest.raises(TaskError, match="not the lines"):
        put_back(hunks("m.py", "x = 1\n", "x = 2\n"), base.replace(old, new), fix.replace(old, new))

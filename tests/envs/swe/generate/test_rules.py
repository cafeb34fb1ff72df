"""Each rule by itself: what it is against, and what it lets through."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentgym.envs.swe.generate import rules
from agentgym.envs.swe.generate.pairs import Pair, Sdist
from agentgym.envs.swe.generate.rules import Probe, Refused, Split, refuse
from agentgym.envs.swe.hunks import groups
from agentgym.envs.swe.runner import TestRun as Run

from .conftest import FIXED, NEW, OLD, SOURCE


def pair(tmp_path: Path, old: dict[str, str], new: dict[str, str], name: str = "mini") -> Pair:
    sides = []
    for version, files in (("1.0", old), ("1.1", new)):
        for path, text in files.items():
            (tmp_path / version / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / version / path).write_text(text)
        sides.append(Sdist(version, f"{name}-{version}.tar.gz", "0" * 64, tmp_path / version))
    return Pair(name, *sides)


def verdict(group: tuple, *facts: object) -> str:
    try:
        refuse(group, *facts)
    except Refused as refused:
        return refused.refusal.rule
    return ""


@pytest.mark.parametrize(
    ("id", "message", "rule"),
    [
        ("t.py::test_a[x y]", "", None),
        ("t.py::test_a[ü-1]", "", None),
        ("t.py::test_a[x\ny]", "", "odd-id"),
        ("t.py::test_a[x\x7fy]", "", "odd-id"),
        ("t.py::test_a[" + "x" * 600 + "]", "", "odd-id"),
        (f"t.py::test_a[{datetime.now(UTC):%Y-%m-%d}]", "", "clock-in-id"),
        ("t.py::test_a[2026-03-04T10:20:30]", "", "clock-in-id"),
        ("t.py::test_a[1763719200.5]", "", "clock-in-id"),
        ("t.py::test_a[1234567890123]", "", None),
        ("t.py::test_a[2020-01-01]", "", None),
        ("t.py::test_performance", "", "measures-time"),
        ("t.py::test_a", "socket.gaierror: [Errno -3] Temporary failure in name resolution", "needs-network"),
        ("t.py::test_a", "AssertionError: assert 1 == 2", None),
    ],
)
def test_tests(id: str, message: str, rule: str | None) -> None:
    assert rules.why_left_out(id, message) == rule


PASSING = tuple(f"t.py::test_{n}" for n in range(10))


@pytest.mark.parametrize(
    ("run", "failing", "lost", "rule"),
    [
        (Run(), 1, 0, ""),
        (Run(timed_out=True), 1, 0, "hangs-without"),
        (Run(broken={"t.py": "E   ImportError: no name"}), 0, 10, "not-collected-without"),
        (Run(faults=("lied",)), 1, 0, "not-believed-without"),
        (Run(), 0, 0, "unnoticed"),
        (Run(), 7, 0, "breaks-too-much"),
        (Run(), 1, 6, "breaks-too-much"),
        (Run(messages=dict.fromkeys(PASSING, "NameError: name 're' is not defined")), 2, 0, "half-a-change"),
        (
            Run(messages=dict.fromkeys(PASSING, "AttributeError: 'A' object has no attribute 'gone'")),
            1,
            0,
            "half-a-change",
        ),
        (Run(messages=dict.fromkeys(PASSING, "AttributeError: 'A' object has no attribute 'wanted'")), 1, 0, ""),
        (Run(messages={PASSING[0]: "NameError: x", PASSING[1]: "AssertionError: y"}), 2, 0, ""),
    ],
)
def test_runs_without_the_solution(run: Run, failing: int, lost: int, rule: str) -> None:
    without = Probe(run, PASSING, PASSING[:failing], PASSING[10 - lost :] if lost else (), frozenset({"wanted"}))
    assert verdict(rules.WITHOUT, without) == rule


@pytest.mark.parametrize(
    ("run", "written", "rule"),
    [
        (Run(statuses={"t.py::a": "passed"}, cpu_s=1.0), (), ""),
        (Run(timed_out=True), (), "never-ends"),
        (Run(faults=("lied",)), (), "not-believed"),
        (
            Run(faults=("exit code 4",), exit_code=4, log="E   ModuleNotFoundError: No module named 'x'"),
            (),
            "not-started",
        ),
        (Run(statuses={"t.py::a": "passed"}, cpu_s=21.0), (), "too-slow"),
        (Run(statuses={"t.py::a": "passed"}), {"left.txt"}, "writes-to-the-tree"),
        (Run(broken={"t.py": "ImportError: x"}), (), "collection"),
        (Run(statuses={"u.py::a": "passed"}, broken={"t.py": "ImportError: x"}), (), ""),
        (Run(statuses={"t.py::a": "failed"}), (), "nothing-passes"),
    ],
)
def test_runs_on_the_solution(run: Run, written: set[str], rule: str) -> None:
    assert verdict(rules.SOLUTION, run, written) == rule


def test_pairs(tmp_path: Path) -> None:
    assert verdict(rules.PAIR, pair(tmp_path / "a", dict(OLD), dict(NEW))) == ""
    large = "".join(f"x{n} = {n}\n" for n in range(rules.MOST_LINES + 1))
    grown = pair(tmp_path / "b", dict(OLD), {**NEW, "mini.py": FIXED + large})
    assert verdict(rules.PAIR, grown) == "" and verdict(rules.WHOLE, grown) == "whole-too-large"
    huge = pair(tmp_path / "c", dict(OLD), {**NEW, "mini.py": FIXED + large * 10})
    assert verdict(rules.PAIR, huge) == "too-large"
    for number, (change, rule) in enumerate(
        [
            ({"tests/test_mini.py": ""}, "no-tests"),
            ({"tests/test_mini.py": OLD["tests/test_mini.py"]}, "no-change-in-tests"),
            ({"mini.py": SOURCE, "docs/conf.py": "x = 1\n", "setup.py": "y = 1\n"}, "no-change-in-source"),
        ]
    ):
        assert verdict(rules.PAIR, pair(tmp_path / f"e{number}", dict(OLD), {**NEW, **change})) == rule
    helpers = {"testing/__init__.py": SOURCE, "tests/test_a.py": "def test_a(): pass\n"}
    own = pair(tmp_path / "d", helpers, {**helpers, "testing/core.py": FIXED, "tests/test_a.py": NEW["tests/test_mini.py"]}, "testing")  # fmt: skip
    assert verdict(rules.PAIR, own) == "no-change-in-source"


def test_packages(tmp_path: Path) -> None:
    deps, mine = tmp_path / "deps", pair(tmp_path / "a", dict(OLD), dict(NEW))
    deps.mkdir()
    assert verdict(rules.PACKAGE, mine, deps, []) == ""
    assert verdict(rules.PACKAGE, mine, deps, ["/usr/lib/python3/_vendor/mini.py"]) == "copy-in-box"
    other = tmp_path / "other"  # what a folder offers is read once
    (other / "mini-3.0.dist-info").mkdir(parents=True)
    assert verdict(rules.PACKAGE, mine, other, []) == "copy-in-dependencies"
    renamed = {path.replace("mini.py", "pluggy/__init__.py"): text for path, text in OLD.items()}
    fixed = {path.replace("mini.py", "pluggy/__init__.py"): text for path, text in NEW.items()}
    assert verdict(rules.PACKAGE, pair(tmp_path / "b", renamed, fixed, "my-fork"), deps, []) == "runner-imports-it"


def test_hunks(tmp_path: Path) -> None:
    copied = pair(tmp_path / "a", dict(OLD), {**NEW, "build/lib/mini.py": FIXED})
    both = [Split(copied, group) for group in groups("mini.py", SOURCE, FIXED)]
    assert [verdict(rules.HUNK, split) for split in both] == ["stands-elsewhere"] * 2
    alone = Split(pair(tmp_path / "b", dict(OLD), dict(NEW)), both[0].hunks)
    assert verdict(rules.HUNK, alone) == ""
    long = "def f():\n" + "".join(f"    x{n} = {n}\n" for n in range(rules.MOST_LINES + 1))
    grown = pair(tmp_path / "c", dict(OLD), {**NEW, "mini.py": SOURCE + long})
    assert [verdict(rules.HUNK, Split(grown, g)) for g in groups("mini.py", SOURCE, SOURCE + long)] == [
        "hunk-too-large"
    ]

"""The runner and the grading of tests: honest candidates pass, and no trick we know of makes a wrong one pass."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from agentgym.envs.swe import boxes, grading, runner
from agentgym.envs.swe.runner import Overlay, Suite
from agentgym.envs.swe.testdeps import test_deps as build_deps
from agentgym.envs.swe.twins import disguise
from agentgym.sandboxes.bubblewrap import Bubblewrap

pytestmark = pytest.mark.slow

OPEN = boxes.of_backend(Bubblewrap)
WRONG = "def total(numbers):\n    return sum(numbers) + 1\n\n\ndef label(name):\n    return name.lower()\n"
RIGHT = WRONG.replace(" + 1", "")
TESTS = b"""
import unittest

import pytest

from calc import label, total


@pytest.mark.parametrize("numbers, wanted", [([1, 2], 3), ([], 0), ([4], 4)])
def test_total(numbers, wanted):
    assert total(numbers) == wanted


def test_bad_input():
    with pytest.raises(TypeError):
        total(["x"])


@pytest.mark.xfail
def test_known_gap():
    assert label(None) == "none"


class TestLabels(unittest.TestCase):
    def test_label(self):
        self.assertEqual(label("A"), "a")

    def test_both(self):
        self.assertEqual(total([len(label("AB"))]), 2)
"""
REPAIR = [f"tests/test_calc.py::{name}" for name in ("test_total[numbers0-3]", "test_total[numbers1-0]", "test_total[numbers2-4]", "TestLabels::test_both")]  # fmt: skip
KEEP = [f"tests/test_calc.py::{name}" for name in ("test_bad_input", "test_known_gap", "TestLabels::test_label")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("package")
    (root / "calc").mkdir()
    (root / "calc" / "__init__.py").write_text(WRONG)
    (root / "tests").mkdir()
    (root / "tests" / "test_calc.py").write_bytes(b"def test_old():\n    pass\n")
    return root


@pytest.fixture(scope="module")
def suite() -> Suite:
    async def deps() -> Path:
        return await build_deps(await boxes.python_of(OPEN), forbidden=["calc"])

    return Suite(("tests/test_calc.py",), asyncio.run(deps()), files={"tests/test_calc.py": TESTS})


@pytest.fixture(scope="module")
def twins(tree: Path, suite: Suite) -> list[str]:
    return asyncio.run(grading.find_twins(OPEN, tree, suite, [*REPAIR, *KEEP[:1], *KEEP[2:]], candidate(RIGHT)))


def candidate(source: str, **more: bytes) -> dict[str, bytes | None]:
    return {"calc/__init__.py": source.encode(), **more}


async def test_statuses_of_a_plain_run(tree: Path, suite: Suite) -> None:
    run = await runner.run_tests(OPEN, tree, suite)
    assert run.faults == () and run.broken == {} and run.exit_code == 1 and run.collected == 7
    assert run.with_status("failed") == set(REPAIR)
    assert run.with_status("xfailed") == {"tests/test_calc.py::test_known_gap"}
    assert run.messages[REPAIR[0]].startswith("assert 4 == 3")
    assert 0 < run.cpu_s < 20


async def test_a_file_that_can_not_be_collected(tree: Path, suite: Suite) -> None:
    run = await runner.run_tests(OPEN, tree, suite, candidate("raise ValueError('no')\n"))
    assert run.faults == () and list(run.broken) == ["tests/test_calc.py"] and run.statuses == {}


async def test_honest_candidates(tree: Path, suite: Suite, twins: list[str]) -> None:
    assert {twin.rpartition("#")[0] for twin in twins} >= set(REPAIR)
    solved = await grading.grade(OPEN, tree, suite, candidate(RIGHT), REPAIR, KEEP, twins)
    assert solved.resolved and solved.reasons == [] and solved.kept == sorted(KEEP)
    other = "def total(numbers):\n    n = 0\n    for x in numbers:\n        n += x\n    return n\n\n\nlabel = str.casefold\n"
    assert (await grading.grade(OPEN, tree, suite, candidate(other), REPAIR, KEEP, twins)).resolved
    nothing = await grading.grade(OPEN, tree, suite, {}, REPAIR, KEEP, twins)
    assert not nothing.resolved and nothing.faults == [] and nothing.repaired == [] and nothing.kept == sorted(KEEP)
    assert nothing.reasons[0].startswith("still failing: tests/test_calc.py::TestLabels::test_both")
    broken = await grading.grade(OPEN, tree, suite, candidate(RIGHT.replace("lower", "upper")), REPAIR, KEEP, twins)
    assert not broken.resolved and broken.reasons == ["broken: tests/test_calc.py::TestLabels::test_label"]


HOOK = b"""
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
    call.excinfo = None
"""
EQUAL = "\n\nclass Any:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n\n\ndef total(numbers):\n    sum(numbers)\n    return Any()\n"
REPORT = """
import _pytest.reports as reports
made = reports.TestReport.from_item_and_call.__func__
def forged(cls, item, call):
    call.excinfo = None
    return made(cls, item, call)
reports.TestReport.from_item_and_call = classmethod(forged)
"""
CALLS = """
import _pytest.python, _pytest.unittest
_pytest.python.Function.runtest = lambda self: None
_pytest.unittest.TestCaseFunction.runtest = lambda self: None
"""
EXIT = "import os\nos.write(1, b'7 passed in 0.01s')\nos._exit(0)\n"
FORGE = """
import json, os
for handle in range(3, 30):
    for number in range(20):
        try:
            os.write(handle, json.dumps({"id": "x", "status": "passed", "n": number, "nonce": ""}).encode() + b"\\n")
        except OSError:
            pass
"""
REWRITE = "import pathlib\nfor f in pathlib.Path('tests').glob('*.py'):\n    f.write_text('def test_total():\\n    pass\\n')\n"
SKIP = "\n\ndef total(numbers):\n    import pytest\n    pytest.{how}('later')\n"
KILL = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
ASSERTS = """
import unittest
unittest.TestCase.assertEqual = lambda self, *args, **kwargs: None
"""
PEEK = """

def total(numbers):
    import os
    for what in ("mem", "fd/1", "environ"):
        open(f"/proc/{os.getppid()}/{what}", "rb").close()
        return sum(numbers)
    raise OSError
"""
CHEATS: dict[str, Overlay] = {
    "a conftest hook": candidate(WRONG, **{"conftest.py": HOOK}),
    "a conftest hook beside the tests": candidate(WRONG, **{"tests/conftest.py": HOOK}),
    "leaving with 0 and printed results": candidate(EXIT + WRONG),
    "leaving with 0 from the function": candidate(WRONG.replace("return sum(numbers) + 1", "import os; os._exit(0)")),
    "leaving with 1, as failing runs do": candidate(EXIT.replace("_exit(0)", "_exit(1)") + WRONG),
    "an object equal to everything": candidate(WRONG + EQUAL),
    "a patched report class": candidate(REPORT + WRONG),
    "patched test items": candidate(CALLS + WRONG),
    "edited tests": candidate(WRONG, **{"tests/test_calc.py": b"def test_total():\n    pass\n"}),
    "tests rewritten at import": candidate(REWRITE + WRONG),
    "a package that shadows pytest": candidate(WRONG, **{"pytest/__init__.py": b"def main(*a, **k):\n    return 0\n"}),
    "a module that shadows pluggy": candidate(WRONG, **{"pluggy.py": b"raise SystemExit(0)\n"}),
    "sitecustomize": candidate(WRONG, **{"sitecustomize.py": EXIT.encode()}),
    "test configuration": candidate(WRONG, **{"pytest.ini": b"[pytest]\naddopts = --collect-only\n"}),
    "planted git configuration": candidate(WRONG, **{".git/config": b"[core]\n\tfsmonitor = touch /tmp/ran; true\n"}),
    "forged lines on every open file": candidate(FORGE + WRONG),
    "skipping": candidate(WRONG + SKIP.format(how="skip")),
    "expecting failure": candidate(WRONG + SKIP.format(how="xfail")),
    "leaving pytest": candidate(WRONG + SKIP.format(how="exit")),
    "killing the judge": candidate(KILL + WRONG),
    "a neutered assert method": candidate(ASSERTS + WRONG),
    "reading the judge": candidate(WRONG + PEEK),
    "deleted tests": candidate(WRONG) | {"tests/test_calc.py": None},
}


@pytest.mark.parametrize("cheat", CHEATS)
async def test_cheats_resolve_nothing(cheat: str, tree: Path, suite: Suite, twins: list[str]) -> None:
    verdict = await grading.grade(OPEN, tree, suite, CHEATS[cheat], REPAIR, KEEP, twins)
    assert not verdict.resolved and verdict.reasons
    assert set(verdict.repaired) <= {"tests/test_calc.py::TestLabels::test_both"}  # what a neutered assert may hit


@pytest.mark.parametrize("cheat", ["an object equal to everything", "a patched report class", "patched test items"])
async def test_it_is_the_twins_and_canaries_that_catch_them(
    cheat: str, tree: Path, suite: Suite, twins: list[str]
) -> None:
    run = await runner.run_tests(OPEN, tree, suite, CHEATS[cheat])
    assert {id for id in REPAIR if "total" in id} <= run.with_status("passed")  # bare pytest believes it
    verdict = await grading.grade(OPEN, tree, suite, CHEATS[cheat], REPAIR, KEEP, twins)
    assert verdict.faults


AGAIN = """
import pathlib, os
kept = {path: path.read_bytes() for path in pathlib.Path("fresh").glob("*.py")}
HIDE
def total(numbers):
    BACK
    return sum(numbers) + 1
def label(name):
    return name.lower()
"""
"""Tests that check nothing lie there while pytest reads them, and what lay there before once it has read them."""
TRICKS = {
    "written and written back": (
        "for path in kept: path.write_bytes(kept[path].replace(b'assert total', b'assert 1 or total'))",
        "for path in kept: path.write_bytes(kept[path])",
    ),
    "another file in its place": (
        "for path in kept: path.rename(f'{path}.x'); path.write_bytes(kept[path].replace(b'assert tot', b'assert 1 or tot'))",
        "for path in kept: os.path.exists(f'{path}.x') and os.rename(f'{path}.x', path)",
    ),
    "another folder in its place": (
        "os.rename('fresh', 'x'); os.mkdir('fresh')\n"
        "for path in kept: path.write_bytes(kept[path].replace(b'assert total', b'assert 1 or total'))",
        "if os.path.exists('x'): os.rename('fresh', 'y'); os.rename('x', 'fresh')",
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_files_that_were_changed_and_changed_back_are_told(trick: str, tree: Path, suite: Suite) -> None:
    hide, back = TRICKS[trick]
    made = candidate(AGAIN.replace("HIDE", hide).replace("BACK", back))
    files = {"fresh/__init__.py": b"import calc", "fresh/test_calc.py": TESTS}  # imported before tests are read
    run = await runner.run_tests(OPEN, tree, dataclasses.replace(suite, targets=("fresh",), files=files), made)
    assert run.statuses["fresh/test_calc.py::test_total[numbers0-3]"] == "passed"  # the trick works, if nobody looks
    assert any("changed during the run: fresh" in fault for fault in run.faults), run.faults


async def test_tests_may_write_beside_themselves(tree: Path, suite: Suite) -> None:
    made = candidate(RIGHT + "open('tests/new.txt', 'w').close()\n")
    assert (await runner.run_tests(OPEN, tree, suite, made)).faults == ()


async def test_hanging_is_stopped_and_counts_for_nothing(tree: Path, suite: Suite, twins: list[str]) -> None:
    endless = candidate(WRONG.replace("return sum(numbers) + 1", "while True: pass"))
    verdict = await grading.grade(OPEN, tree, suite, endless, REPAIR, KEEP, twins, timeout=2)
    assert verdict.faults == ["the tests did not end within 2 s"] and verdict.repaired == []


async def test_a_flood_on_the_log_is_cut(tree: Path, suite: Suite) -> None:
    run = await runner.run_tests(OPEN, tree, suite, candidate("print('x' * 30_000_000, flush=True)\n" + RIGHT))
    assert run.faults == () and len(run.log) <= 70_000 and len(run.with_status("passed")) == 6


def test_disguise_changes_names_and_is_the_same_for_the_same_seed() -> None:
    files = {"tests/test_calc.py": TESTS}
    one, same, other = (disguise(files, REPAIR, seed) for seed in ("a", "a", "b"))
    assert one == same and one.files != other.files
    text = one.files["tests/test_calc.py"].decode()
    compile(text, "disguised", "exec")
    assert "def test_total(" not in text and "def test_bad_input(" in text
    assert sorted(old for old, _ in one.names.values()) == ["TestLabels::test_both"] * 2 + ["test_total"] * 2
    for new, (old, number) in one.names.items():
        assert one.reveal(f"{new}[x::y]") == (f"tests/test_calc.py::{old}[x::y]", number)
    assert one.reveal("tests/test_calc.py::test_other[1]") == ("tests/test_calc.py::test_other[1]", None)

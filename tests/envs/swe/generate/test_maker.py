"""From source distributions made by hand to tasks: what is kept, what each trap is refused for, going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agentgym.envs.swe import release
from agentgym.envs.swe.generate import report
from agentgym.envs.swe.generate.maker import Maker
from agentgym.envs.swe.generate.plan import Package
from agentgym.errors import TaskError

from .conftest import FIXED, NEW, OLD, SOURCE, TESTS, put, stable

pytestmark = pytest.mark.slow  # each makes a list of tasks, some runs of tests a time

Made = Callable[..., Awaitable[Maker]]
MINI = Package(name="mini", split="test")


def rules_of(maker: Maker) -> dict[str, str]:
    return {outcome.subject: outcome.rule for outcome in maker.outcomes}


async def test_a_release_and_its_hunks_become_tasks(links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", NEW)
    maker = await made(MINI)
    tasks = release.load(tmp_path / "tasks.json")["test"]
    found = {tuple(task.FAIL_TO_PASS): task for task in tasks}
    low, middle = "tests/test_mini.py::test_low", "tests/test_mini.py::test_middle"
    assert set(found) == {(low,), (middle,), (low, middle)}
    assert found[(low, middle)].hunks == [] and found[(low, middle)].id == "mini__1.0__1.1"
    one = found[(low,)]
    assert sorted(["tests/test_mini.py::test_high", middle, "tests/test_mini.py::test_total"]) == one.PASS_TO_PASS
    trees = await release.trees(one, tmp_path / "cache")
    text = (trees.base / "mini.py").read_text()
    assert "return min(value, high)" in text and "// 2" in text
    assert not (trees.base / "tests/test_mini.py").exists() and (trees.fix / "tests/test_mini.py").exists()
    assert (trees.fix / "mini.py").read_text() == FIXED  # the cached tree is not written through
    assert "clamp" in one.statement and one.statement_source == "changelog" and one.difficulty == "small"
    assert "keeps to its low bound" not in one.statement
    assert "3 kept" in report.markdown([o for o in maker.outcomes if o.subject in {t.id for t in tasks}])


async def test_what_the_file_has_stays_as_it_is(links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", NEW)
    await made(MINI)
    file = tmp_path / "tasks.json"
    content = json.loads(file.read_text())
    content["test"][0] |= {"statement": "Written by hand.", "statement_by": "hand"}
    del content["test"][1]
    file.write_text(json.dumps(content))
    await made(MINI)
    again = json.loads(file.read_text())
    assert again["test"][0]["statement"] == "Written by hand." and len(again["test"]) == 3
    with pytest.raises(TaskError, match="is to be 'train'"):
        await made(Package(name="mini", split="train"))


ODD = """
import shutil, socket, subprocess, time
import pytest


@pytest.mark.parametrize("n", [1], ids=["a b"])
def test_space(n):
    assert clamp(n, 2, 5) == 2


@pytest.mark.parametrize("n", [time.time_ns()])
def test_clock(n):
    pass


@pytest.mark.parametrize("n", [time.strftime("%Y-%m-%d")])
def test_date(n):
    pass


def test_line():
    pass


def test_program():
    assert shutil.which("ls") and subprocess.run(["ls"], check=True)


def test_network():
    socket.create_connection(("example.org", 80), timeout=5)


def test_speed_of_clamp():
    assert clamp(3, 2, 5) == 3


def test_quick():
    start = time.monotonic()
    assert clamp(3, 2, 5) == 3 and time.monotonic() - start < 60
"""
CONFTEST = """
def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == "test_line":
            item._nodeid += "[a\\nb]"
"""


async def test_tests_that_can_not_be_relied_on_are_left_out_and_named(links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", {**NEW, "tests/test_mini.py": TESTS + ODD, "tests/conftest.py": CONFTEST})
    maker = await made(Package(name="mini", split="test", most=1))
    left_out = {
        id.partition("::")[2].partition("[")[0]: rule for o in maker.outcomes for id, rule in o.left_out.items()
    }
    assert left_out == {
        "test_clock": "passes-at-times", "test_date": "clock-in-id", "test_line": "odd-id",
        "test_network": "needs-network", "test_speed_of_clamp": "measures-time",
        "test_quick": "measures-time", "test_program": "needs-a-program",
    }  # fmt: skip
    (task,) = release.load(tmp_path / "tasks.json")["test"]
    assert task.FAIL_TO_PASS == ["tests/test_mini.py::test_low", "tests/test_mini.py::test_space[a b]"]
    text = report.markdown(maker.outcomes)
    assert "1 needs-network, as tests/test_mini.py::test_network" in text and "1 odd-id" in text


async def test_a_module_that_is_not_collected_does_not_take_the_others_with_it(
    links: Path, made: Made, tmp_path: Path
) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", {**NEW, "tests/test_more.py": "import no_such_module\n\n\ndef test_a():\n    pass\n"})
    await made(Package(name="mini", split="test", most=1))
    (task,) = release.load(tmp_path / "tasks.json")["test"]
    assert task.test_targets == ["tests/test_mini.py"]


HALF = SOURCE.replace("return min(value, high)", "return _bound(value, low, high)") + (
    "\n\ndef _bound(value, low, high):\n    return max(low, min(value, high))\n"
)
TRAPS = {
    "never-ends": {"tests/test_mini.py": TESTS + "\n\ndef test_for_ever():\n    while True:\n        pass\n"},
    "writes-to-the-tree": {"tests/test_mini.py": TESTS + "\n\ndef test_w():\n    open('left.txt', 'w').close()\n"},
    "collection": {"tests/test_mini.py": "import no_such_module\n" + TESTS},
}


@pytest.mark.parametrize("rule", TRAPS)
async def test_a_release_is_refused_for(rule: str, links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", {**NEW, **TRAPS[rule]})
    maker = await made(MINI, timeout=4.0 if rule == "never-ends" else 60.0)
    assert rules_of(maker) == {"mini__1.0__1.1": rule}
    assert not (tmp_path / "tasks.json").exists()


async def test_a_hunk_is_refused_for_what_it_leaves_behind(links: Path, made: Made) -> None:
    put(links, "mini", "1.0", OLD)
    twice = {"build/lib/mini.py": FIXED, "mini.py": FIXED + "\n\ndef unseen():\n    return 1\n"}
    put(links, "mini", "1.1", {**NEW, "mini.py": HALF})
    assert set(rules_of(await made(MINI)).values()) >= {"half-a-change"}
    (links / "mini-1.1.tar.gz").unlink()
    put(links, "mini", "1.2", {**NEW, **twice})
    assert set(rules_of(await made(MINI, out="other.json")).values()) >= {"unnoticed", "stands-elsewhere"}


async def test_another_copy_of_the_package_is_seen(links: Path, made: Made) -> None:
    for version, files in (("90.0", OLD), ("91.0", NEW)):
        for name in ("blinker", "pluggy"):
            put(links, name, version, {path.replace("mini.py", f"{name}.py"): t for path, t in files.items()})
    maker = await made(Package(name="blinker"), Package(name="pluggy"))
    assert rules_of(maker) == {
        "blinker__90.0__91.0": "copy-in-dependencies",
        "pluggy__90.0__91.0": "runner-imports-it",
    }


async def test_nothing_of_a_package_runs_outside_a_box(links: Path, made: Made, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w').close()\n"
    build = "[build-system]\nrequires = ['no-such-thing']\nbuild-backend = 'own'\nbackend-path = ['.']\n"
    hostile = {"setup.py": code, "own.py": code, "pyproject.toml": build, "conftest.py": code}
    put(links, "mini", "1.0", {**OLD, **hostile})
    put(links, "mini", "1.1", {**NEW, **hostile, "tests/test_mini.py": code + TESTS, "mini.py": code + FIXED})
    maker = await made(MINI)
    assert rules_of(maker).keys() == {"mini__1.0__1.1"} and not mark.exists()


async def test_packages_that_vanished_or_changed(links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", NEW)
    await made(MINI)
    put(links, "mini", "1.1", {**NEW, "mini.py": FIXED + "\n\nEVIL = 1\n"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "testdeps").symlink_to(tmp_path / "cache" / "testdeps")
    again = await made(MINI, cache="other")
    assert rules_of(again) == {"mini__1.0__1.1": "changed"} and len(again.file.tasks) == 3
    (links / "mini-1.0.tar.gz").unlink()
    (links / "mini-1.1.tar.gz").unlink()
    assert rules_of(await made(MINI)) == {"mini": "vanished"}
    assert rules_of(await made(Package(name="nobody"))) == {"nobody": "vanished"}


async def test_an_archive_with_odd_paths_is_refused(links: Path, made: Made, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", {**NEW, "a\\..\\up.py": "x = 1\n"})
    assert rules_of(await made(MINI)) == {"mini__1.0__1.1": "unsafe-archive"}


def command(packages: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "agentgym.envs.swe.generate", str(packages), "--out", str(out)]


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(links: Path, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", NEW)
    packages, whole, killed = (tmp_path / name for name in ("packages.json", "whole.json", "killed.json"))
    packages.write_text(json.dumps({"packages": ["mini"]}))
    environment = os.environ | {"AGENTGYM_CACHE": str(tmp_path / "cache")}
    subprocess.run(command(packages, whole), env=environment, check=True, timeout=200, capture_output=True)
    journal = tmp_path / "killed.json.journal.jsonl"
    for lines in (1, 4):  # in the middle of the first run of tests, and of a candidate
        process = subprocess.Popen(command(packages, killed), env=environment, stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline and (not journal.exists() or journal.read_bytes().count(b"\n") < lines):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = journal.read_bytes()
    assert before.count(b"\n") >= 4
    with open(journal, "ab") as file:
        file.write(b'{"key": "cut in the mid')
    done = subprocess.run(command(packages, killed), env=environment, check=True, timeout=200, capture_output=True, text=True)  # fmt: skip
    assert "3 tasks in" in done.stdout
    assert stable(killed) == stable(whole)
    keys = [json.loads(line)["key"] for line in journal.read_bytes().splitlines() if line.endswith(b"}")]
    assert len(keys) == len(set(keys)) and journal.read_bytes().startswith(before)  # nothing was done twice


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_release_gate_holds_on_packages_it_has_never_seen(links: Path, tmp_path: Path) -> None:
    put(links, "mini", "1.0", OLD)
    put(links, "mini", "1.1", NEW)
    packages, out = tmp_path / "packages.json", tmp_path / "tasks.json"
    packages.write_text(json.dumps({"packages": [{"name": "mini", "split": "train"}]}))
    environment = os.environ | {"AGENTGYM_CACHE": str(tmp_path / "cache")}
    subprocess.run(command(packages, out), env=environment, check=True, timeout=200, capture_output=True)
    audit = [sys.executable, "-c", "from agentgym.cli import main; main()", "audit", "swe/release-v0", "--json"]
    done = subprocess.run([*audit, "--tasks", str(out)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["passed"], done.stdout + done.stderr


async def test_a_real_package(made: Made, tmp_path: Path, deps: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "testdeps").symlink_to(deps.parent)
    await made(Package(name="parse", split="test", since="1.22.2", until="1.22.3"))
    (task,) = release.load(tmp_path / "tasks.json")["test"]
    assert task.hunks[0].path == "parse/__init__.py" and len(task.FAIL_TO_PASS) == 4
    shipped = {each.id: each for tasks in release.load().values() for each in tasks}
    assert task.FAIL_TO_PASS == shipped[task.id].FAIL_TO_PASS and task.hunks == shipped[task.id].hunks

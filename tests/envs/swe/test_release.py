"""Release tasks: the task file that comes with the package, broken ones, and one real release through the box."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from agentgym.envs.swe import boxes, catalogue, diffs, grading, release
from agentgym.envs.swe.generate import plan
from agentgym.envs.swe.patch_filter import is_test
from agentgym.envs.swe.runner import Suite
from agentgym.envs.swe.testdeps import test_deps as build_deps
from agentgym.errors import TaskError
from agentgym.sandboxes.bubblewrap import Bubblewrap

SHIPPED = release.load()
EVERY = [task for tasks in SHIPPED.values() for task in tasks]


def test_the_tasks_that_come_with_the_package() -> None:
    assert len(EVERY) >= 150 and len({task.package for task in EVERY}) >= 25
    assert {split for split, tasks in SHIPPED.items() if tasks} == {"train", "validation", "test"}
    for task in EVERY:
        assert not set(task.FAIL_TO_PASS) & set(task.PASS_TO_PASS), task.id
        assert all(is_test(path) for path in task.test_targets) and not any(map(is_test, task.source_files))
        assert {id.partition("::")[0] for id in task.FAIL_TO_PASS} <= set(task.test_targets)
        assert all(id.isprintable() for id in task.FAIL_TO_PASS + task.PASS_TO_PASS), task.id
        assert task.difficulty in ("small", "medium", "multi-fix")
        assert len(task.statement) > 30 and "What release" not in task.statement, task.id
    entries = json.loads(release.DATA.read_text())
    made = [entry for split in ("train", "validation", "test") for entry in entries[split] if "requirements" in entry]
    assert {entry["statement_by"] for entry in made} == {"hand"}


def test_a_package_is_in_one_split_in_every_list() -> None:
    listed = {package.name: package.split for package in plan.load(plan.SHIPPED)}
    assert {task.package: split for split, tasks in SHIPPED.items() for task in tasks}.items() <= listed.items()
    assert {package.name: package.split for package in catalogue.load()}.items() <= listed.items()


ENTRY: dict[str, Any] = json.loads(release.DATA.read_text())["train"][0]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"base_sha256": "12"}, "field base_sha256"),
        ({"FAIL_TO_PASS": []}, "field FAIL_TO_PASS"),
        ({"FAIL_TO_PASS": [1]}, "field FAIL_TO_PASS.0"),
        ({"statement": ""}, "field statement"),
        ({"import_root": "../up"}, "field import_root"),
        ({"source_files": ["/etc/passwd"]}, "field source_files.0"),
        ({"package": None}, "field package"),
        ({"requirements": ["six>=1"]}, "field requirements.0"),
        (
            {"hunks": [{"path": "a.py", "base_lines": [0, 1], "fix_lines": [0, 1], "sha256": "0" * 64}]},
            "'hunks' must be",
        ),
        ({"hunks": [{"path": "a.py", "base_lines": [-1, 1]}]}, "field hunks.0.base_lines.0"),
    ],
)
def test_a_broken_entry_is_named_with_its_field(change: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps({"train": [ENTRY, ENTRY | {"id": "second"} | change]}))
    with pytest.raises(TaskError, match=re.escape(wrong)) as caught:
        release.load(file)
    assert "train[1] (second)" in str(caught.value) and str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"train": [\n  {"id": }\n]}', "line 2, column 10"),
        ("[]", "must hold an object"),
        ("{}", "no tasks"),
        ('{"train": {}}', "'train' must be a list"),
        (json.dumps({"train": [ENTRY, ENTRY]}), "two tasks are called"),
        (json.dumps({"train": [ENTRY], "heldout": [ENTRY | {"id": "x"}]}), "is in both 'train' and 'test'"),
    ],
)
def test_a_broken_file_is_named_with_the_place(text: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    file.write_text(text)
    with pytest.raises(TaskError, match=re.escape(wrong)):
        release.load(file)


def test_held_out_tasks_are_the_test_split(tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps({"heldout": [ENTRY]}))
    assert [task.id for task in release.load(file)["test"]] == [ENTRY["id"]]


async def test_a_release_is_resolved_by_its_own_fix_and_by_nothing_less() -> None:
    open_box = boxes.of_backend(Bubblewrap)
    task = min(EVERY, key=lambda task: len(task.PASS_TO_PASS))
    trees, deps = await asyncio.gather(release.trees(task), build_deps(await boxes.python_of(open_box), [task.package]))
    suite = Suite(tuple(task.test_targets), deps, task.import_root, trees.hidden_tests, tuple(trees.base_tests))
    solution: dict[str, bytes | None] = {}
    for patch in diffs.parse(trees.oracle(task)):
        after = diffs.apply(patch, (trees.base / patch.path).read_text())
        assert after is not None
        solution[patch.path] = after.encode()
        assert after == (trees.fix / patch.path).read_text()
    ids = grading.guarded(task.FAIL_TO_PASS, task.PASS_TO_PASS)
    twins = await grading.find_twins(open_box, trees.base, suite, ids, solution)
    solved, nothing = [
        await grading.grade(open_box, trees.base, suite, overlay, task.FAIL_TO_PASS, task.PASS_TO_PASS, twins)
        for overlay in (solution, {})
    ]
    assert solved.resolved and solved.reasons == []
    assert not nothing.resolved and nothing.repaired == [] and nothing.faults == []


async def test_a_hunk_is_put_back_without_the_tests_that_notice_it(tmp_path: Path) -> None:
    task = min((task for task in EVERY if task.hunks), key=lambda task: len(task.PASS_TO_PASS))
    trees = await release.trees(task)
    assert await release.trees(task) == trees
    patches = {patch.path: patch for patch in diffs.parse(trees.oracle(task))}
    assert set(patches) == set(task.source_files) == {hunk.path for hunk in task.hunks}
    for path, patch in patches.items():
        assert diffs.apply(patch, (trees.base / path).read_text()) == (trees.fix / path).read_text()
    everything = {path.relative_to(trees.fix).as_posix() for path in trees.fix.rglob("*") if path.is_file()}
    left = {path.relative_to(trees.base).as_posix() for path in trees.base.rglob("*") if path.is_file()}
    assert everything - left == {id.partition("::")[0] for id in task.FAIL_TO_PASS} and left <= everything
    other = task.model_copy(update={"hunks": [hunk.model_copy(update={"sha256": "0" * 64}) for hunk in task.hunks]})
    with pytest.raises(TaskError, match="not the lines that the task was made from"):
        await release.trees(other)

"""Release tasks: the task file that comes with the package, broken ones, and one real release through the box."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from agentgym.envs.swe import boxes, diffs, grading, release
from agentgym.envs.swe.patch_filter import is_test
from agentgym.envs.swe.runner import Suite
from agentgym.envs.swe.testdeps import test_deps as build_deps
from agentgym.errors import TaskError
from agentgym.sandboxes.bubblewrap import Bubblewrap


def test_the_tasks_that_come_with_the_package() -> None:
    splits = release.load()
    assert {split: len(tasks) for split, tasks in splits.items()} == {"train": 21}
    for task in splits["train"]:
        assert not set(task.FAIL_TO_PASS) & set(task.PASS_TO_PASS)
        assert all(is_test(path) for path in task.test_targets) and not any(map(is_test, task.source_files))
        assert {id.partition("::")[0] for id in task.FAIL_TO_PASS} <= set(task.test_targets)


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
    task = min(release.load()["train"], key=lambda task: len(task.PASS_TO_PASS))
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


@pytest.mark.nightly
async def test_every_release_is_resolved_by_its_own_fix() -> None:
    open_box = boxes.of_backend(Bubblewrap)
    deps = await build_deps(await boxes.python_of(open_box), {task.package for task in release.load()["train"]})
    for task in release.load()["train"]:
        trees = await release.trees(task)
        suite = Suite(tuple(task.test_targets), deps, task.import_root, trees.hidden_tests, tuple(trees.base_tests))
        solution = {path: (trees.fix / path).read_bytes() for path in task.source_files if (trees.fix / path).is_file()}
        twins = await grading.find_twins(open_box, trees.base, suite, task.FAIL_TO_PASS, solution)
        for overlay, wanted in ((solution, True), ({}, False)):
            verdict = await grading.grade(
                open_box, trees.base, suite, overlay, task.FAIL_TO_PASS, task.PASS_TO_PASS, twins
            )
            assert verdict.resolved is wanted, (task.id, verdict.reasons)

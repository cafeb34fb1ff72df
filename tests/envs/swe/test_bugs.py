"""One-line bugs: found, proven, stated and graded, on the real packages; one small package per test."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from agentgym.envs.swe import boxes, catalogue, grading, issue, proving
from agentgym.envs.swe.bugs import Bugs
from agentgym.envs.swe.catalogue import BugPackage, Catalogue
from agentgym.envs.swe.proving import Prover
from agentgym.envs.swe.rewrites import candidates
from agentgym.envs.swe.runner import TestRun
from agentgym.envs.swe.testdeps import test_deps as build_deps
from agentgym.errors import TaskError
from agentgym.sandboxes.bubblewrap import Bubblewrap

OPEN = boxes.of_backend(Bubblewrap)


def small() -> BugPackage:
    """The test package whose smallest module is cheapest to run, with that module alone."""
    package = next(p for p in catalogue.load() if p.split == "test")
    path = next(path for path in package.modules if "dict" in path)
    return package.model_copy(update={"modules": {path: package.modules[path]}})


async def bugs(cache: Path, *packages: BugPackage) -> Bugs:
    deps = await build_deps(await boxes.python_of(OPEN), [package.name for package in packages])
    # Packages come from the shared cache; what is proven here is kept apart, so that it is proven here.
    return Bugs(Catalogue(list(packages)), Prover(OPEN, deps, cache))


@pytest.mark.slow
async def test_the_stream_is_proven_ordered_by_seed_and_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_shipped", dict)
    found = await bugs(tmp_path, small())
    first = await take(found, "test", 1, 3)
    assert len(set(first)) == 3 and all(id.startswith(small().label) for id in first)

    async def never(*args: object, **kwargs: object) -> TestRun:
        raise AssertionError("run again")

    monkeypatch.setattr(proving.runner, "run_tests", never)
    again = await bugs(tmp_path, small())
    assert await take(again, "test", 1, 3) == first
    assert [id async for id in again.ids("train", 1)] == []


async def take(found: Bugs, split: str, seed: int, count: int) -> list[str]:
    ids: list[str] = []
    async with contextlib.aclosing(found.ids(split, seed)) as stream:
        async for id in stream:
            ids.append(id)
            if len(ids) == count:
                break
    return ids


async def test_a_bug_is_a_task(tmp_path: Path) -> None:
    found = await bugs(tmp_path, small())
    id = await anext(found.ids("test"))
    task = await found.get(id)
    tree = found.tree(task)
    assert tree == found.tree(task)
    broken = (tree / task.bug.path).read_text()
    assert broken == task.bug.broken != task.bug.source
    assert task.hidden and not any((tree / path).exists() for path in task.hidden)
    assert task.bug.source.split("\n")[task.bug.mutation.line - 1] in candidates(broken, task.bug.mutation.line)
    assert task.oracle.count("\n-") == 2 and task.oracle.count("\n+") == 2  # with the two file names
    verdicts = [
        await grading.grade(OPEN, tree, task.suite, overlay, task.repair, task.keep, task.twins)
        for overlay in ({task.bug.path: task.bug.source.encode()}, {})
    ]
    assert [verdict.resolved for verdict in verdicts] == [True, False]
    assert verdicts[1].repaired == [] and set(verdicts[1].kept) == set(task.keep) and verdicts[1].faults == []


@pytest.mark.slow
async def test_statements_lead_only_as_close_as_they_should(tmp_path: Path) -> None:
    found = await bugs(tmp_path, small())
    task = await found.get(await anext(found.ids("test")))
    function = issue.function_at(task.bug.source, task.bug.mutation.line)
    module = issue.module_at(task.bug.path, task.bug.package.import_root)
    texts = [task.statement(detail) for detail in ("message", "module", "function")]
    assert [f"`{module}`" in text for text in texts] == [False, True, True] or f"{module}`" in texts[2]
    assert function in texts[2] and texts == [task.statement(detail) for detail in ("message", "module", "function")]
    assert not any(re.search(rf"\b{task.bug.mutation.line}\b|\.py", text) for text in texts)


def test_phrasings_differ_by_seed_and_messages_are_cut() -> None:
    texts = {issue.statement("p", "p.m", "f", "test_f", "assert 1 == 2", 2, "function", str(n)) for n in range(60)}
    assert len(texts) > 20 and all("assert 1 == 2" in text and "test_f" in text for text in texts)
    assert "None" not in issue.statement("p", "p.m", "", "test_f", "", 1, "function", "0")
    assert len(issue.quoted("x" * 5000)) < 400 and issue.quoted("a\n +  where b = <c at 0x1>") == "a"
    source = "class A:\n    @d\n    def f(self):\n        def g():\n            return 1\nx = 2\n"
    assert [issue.function_at(source, line) for line in (1, 2, 5, 6)] == ["A", "A.f", "A.f.g", ""]


@pytest.mark.parametrize("id", ["", "x", "toolz-1.0.0/setup.py:1:1:compare/0", "nothing-1.0/a.py:1:1:compare/0"])
async def test_unknown_ids_are_refused(id: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no bug"):
        await Catalogue(catalogue.load()).get(id)


def test_no_package_is_in_two_splits_and_there_are_enough() -> None:
    packages = catalogue.load()
    assert len({package.name for package in packages}) == len(packages) >= 8
    counts = [sum(package.split == split for package in packages) for split in ("train", "validation", "test")]
    assert counts[0] >= 5 and counts[1] >= 1 and counts[2] >= 3


async def test_the_proofs_that_come_along_are_of_bugs_there_are() -> None:
    shipped = json.loads(proving.SHIPPED.read_bytes())
    every = Catalogue()
    homes = {package.label: package.split for package in every.packages.values()}
    for split, least in (("test", 150), ("validation", 50), ("train", 200)):
        ids = proving.pinned(split)
        assert len(set(ids)) == len(ids) >= least and {homes[id.partition("/")[0]] for id in ids} == {split}
        for id in ids[:4]:
            assert (await every.get(id)).id == id
    assert len(shipped["proofs"]) == sum(map(len, shipped["ids"].values()))
    assert all(1 <= len(proof["failing"]) <= proving.MOST_FAILING for proof in shipped["proofs"].values())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"packages": [\n{,}]}', "line 2"),
        ("[]", "'packages'"),
        ('{"packages": [{"name": "a"}]}', r"packages\[0\] \(a\): field"),
    ],
)
def test_a_broken_package_list_is_named_with_the_place(text: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "packages.json"
    file.write_text(text)
    with pytest.raises(TaskError, match=wrong):
        catalogue.load(file)
    with pytest.raises(TaskError, match="can not be read"):
        catalogue.load(tmp_path / "none.json")

"""Suites refuse what has changed; held-out tasks refuse to be trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agentgym import EnvSpec, Runtime, Task, TaskList, UsageError
from agentgym.evals.held_out import refuse_held_out
from agentgym.evals.suite import Suite, find, pin, shipped
from tests.cli.toy import SPEC


async def pinned() -> Suite:
    async with Runtime() as runtime:
        return await pin(SPEC, runtime, name="mine", limit=3, seed=5, samples=2)


async def opened(suite: Suite, spec: EnvSpec = SPEC) -> list[Task]:
    async with Runtime() as runtime:
        return (await suite.open(runtime, spec))[1]


async def test_a_suite_survives_its_file(tmp_path: Path) -> None:
    suite = await pinned()
    suite.write(tmp_path / "mine.json")
    again = find(str(tmp_path / "mine.json"))
    assert again == suite
    assert [task.id for task in await opened(again)] == list(suite.tasks)
    assert all(task.split == "test" for task in await opened(again))


async def test_a_changed_task_is_refused() -> None:
    suite = await pinned()
    first = next(iter(suite.tasks))
    changed = replace(SPEC, tasks=lambda config, runtime: TaskList([Task(first, SPEC.id, {"other": 1}, split="test")]))
    with pytest.raises(UsageError, match=rf"3 tasks are not as pinned: {first}, .*gone"):
        await opened(suite, changed)


async def test_a_changed_environment_is_refused() -> None:
    suite = await pinned()
    with pytest.raises(UsageError, match="pinned with limits"):
        await opened(suite, replace(SPEC, limits=replace(SPEC.limits, turns=99)))
    renamed = replace(SPEC, rubric=replace(SPEC.rubric, channels=SPEC.rubric.channels * 1 + _metric()))
    with pytest.raises(UsageError, match="its spec has another hash"):
        await opened(suite, renamed)
    with pytest.raises(UsageError, match="not of toy/other-v0"):
        await opened(suite, replace(SPEC, id="toy/other-v0"))


def _metric() -> tuple[object, ...]:
    from agentgym import Channel

    return (Channel("another", "metric"),)


def test_a_file_that_is_no_suite_names_the_field(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"name": "x"}')
    with pytest.raises(UsageError, match="not a suite: env"):
        find(str(path))
    with pytest.raises(UsageError, match="no suite"):
        find(str(tmp_path / "nothing.json"))
    with pytest.raises(UsageError, match="no suite 'nothing'"):
        find("nothing")


def test_training_on_the_test_split_is_refused() -> None:
    tasks = [Task("a", SPEC.id, {}), Task("b", SPEC.id, {}, split="test")]
    refuse_held_out(tasks[:1], suites=[])
    with pytest.raises(UsageError, match=r"1 held-out tasks .*b \(split test\)"):
        refuse_held_out(tasks, suites=[])


async def test_training_on_a_suite_is_refused_by_id_and_by_content() -> None:
    suite = await pinned()
    id = next(iter(suite.tasks))
    task = next(task for task in await opened(suite) if task.id == id)
    with pytest.raises(UsageError, match="suite mine"):
        refuse_held_out([Task(id, SPEC.id, {"changed": True}, split="train")], suites=[suite])
    with pytest.raises(UsageError, match="suite mine"):
        refuse_held_out([task], suites=[suite])
    refuse_held_out([Task(id, "toy/other-v0", {}, split="train")], suites=[suite])


async def test_shipped_suites_can_be_opened() -> None:
    for suite in shipped().values():
        async with Runtime() as runtime:
            assert (await suite.open(runtime))[1]

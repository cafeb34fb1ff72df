"""Tasks and task lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentgym import Task, TaskError, TaskList
from tests.toys import task, tasks

SET = TaskList([*tasks(8), *(replace(each, id=f"h{each.id}", split="test") for each in tasks(3))], version="7")


async def ids(split: str, seed: int | None = None) -> list[str]:
    return [id async for id in SET.ids(split, seed)]


async def test_splits_have_their_own_tasks_in_the_sets_order() -> None:
    assert await ids("train") == [f"t{i}" for i in range(8)]
    assert await ids("test") == ["ht0", "ht1", "ht2"]
    assert await ids("validation") == []
    assert (SET.size("train"), SET.size("test"), SET.size("validation")) == (8, 3, 0)


async def test_a_seed_shuffles_and_is_repeatable() -> None:
    assert await ids("train", 7) == await ids("train", 7)
    assert await ids("train", 7) != await ids("train")
    assert await ids("train", 7) != await ids("train", 8)
    assert sorted(await ids("train", 7)) == sorted(await ids("train"))


async def test_take_is_the_first_of_that_order() -> None:
    assert [each.id for each in await SET.take("train", 3, seed=7)] == (await ids("train", 7))[:3]
    assert len(await SET.take("test", 99)) == 3
    assert await SET.take("train", 0) == []


async def test_get_finds_by_id_and_else_raises() -> None:
    assert (await SET.get("t3")).id == "t3"
    with pytest.raises(TaskError, match="no task 't99'"):
        await SET.get("t99")


def test_two_tasks_of_one_id_are_refused() -> None:
    with pytest.raises(TaskError, match="two tasks are called 't0'"):
        TaskList([task(), task()])


@pytest.mark.parametrize(
    "changes",
    [{"id": "u"}, {"env": "e"}, {"payload": {"x": 1}}, {"secret": {}}, {"split": "test"}, {"tags": ("hard",)}],
)
def test_every_field_is_in_the_hash(changes: dict[str, object]) -> None:
    assert replace(task(), **changes).hash != task().hash  # type: ignore[arg-type]
    assert task().hash == task().hash


def test_a_public_task_has_no_secret() -> None:
    assert task().public() == Task("t0", task().env, {})

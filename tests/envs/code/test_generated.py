"""Task sets without an end: the same task for the same id, and nothing of one split in another."""

import itertools

import pytest

from agentgym.envs.code.generated import Draft, GeneratedTasks, split_of
from agentgym.errors import TaskError


def small(rng):
    return Draft(rng.randrange(60), {"statement": "s", "files": {}, "submit": ["a"]})


@pytest.fixture
def tasks():
    return GeneratedTasks("toy/small", {"one": small, "two": small, "kept": small}, frozenset({"kept"}))


async def test_a_task_is_a_function_of_its_id(tasks):
    again = GeneratedTasks("toy/small", {"one": small, "two": small, "kept": small}, frozenset({"kept"}))
    for id in ("train-0", "validation-7", "test-2147483647"):
        assert (await tasks.get(id)).hash == (await again.get(id)).hash


@pytest.mark.parametrize(
    "id", ["", "train", "train-", "train--1", "train-01", "other-1", "test-2147483648", "train-1e3"]
)
async def test_other_ids_are_refused(tasks, id):
    with pytest.raises(TaskError, match="ids are like"):
        await tasks.get(id)


async def test_orders(tasks):
    async def first(seed):
        drawn = tasks.ids("train", seed)
        return [await anext(drawn) for _ in range(50)]

    assert await first(None) == [f"train-{n}" for n in range(50)]
    assert await first(3) == await first(3) != await first(4)
    assert len(set(await first(3))) == 50
    assert [id async for id in tasks.ids("elsewhere")] == []


async def test_no_problem_is_in_two_splits(tasks):
    families = {split: set() for split in ("train", "validation", "test")}
    for split, number in itertools.product(families, range(60)):
        task = await tasks.get(f"{split}-{number}")
        families[split].add(task.tags[0])
        assert task.split == split
    assert families["train"] == families["validation"] == {"one", "two"} and "kept" in families["test"]
    assert {split_of(["one", number]) for number in range(60)} == set(families)


async def test_a_set_with_too_few_problems_says_so():
    def lonely(rng):
        return Draft("only", {})

    tasks = GeneratedTasks("toy/lonely", {"one": lonely})
    home = split_of(["one", "only"])
    assert (await tasks.get(f"{home}-1")).split == home
    with pytest.raises(TaskError, match="too few problems"):
        await tasks.get("test-0" if home != "test" else "train-0")

"""Which tasks there are: splits, ids, steps, and that they are the same as ever."""

from __future__ import annotations

import pytest

from agentgym.envs.gui.tasks.specs import TASKS
from agentgym.envs.gui.tasks.tasks import STEPS, GuiTasks
from agentgym.errors import TaskError
from agentgym.seeds import content_hash
from agentgym.tasks import SPLITS


def tasks(**config):
    return GuiTasks(TASKS.configure(**config).config, None)


async def test_tasks_are_the_same_as_ever():
    """Changed on purpose? Then bump the environment's version."""
    hashes = [task.hash for split in SPLITS for task in await tasks().take(split, 10)]
    assert content_hash(hashes) == "ad3267e14ef1eb4a595be9a7cdc2f65fa41a00e7518919746a0a6d2c7d895a46"


async def test_no_task_is_in_two_splits_and_every_id_gives_its_task():
    every = {
        split: [task.id for task in await tasks(test_seeds=5, train_seeds=5).take(split, 1_000)] for split in SPLITS
    }
    assert [len(ids) for ids in every.values()] == [25, 25, 25]
    assert len({id for ids in every.values() for id in ids}) == 75
    assert tasks(test_seeds=5).size("test") == 25


async def test_a_stage_of_steps_has_as_many_tasks_of_each_as_its_way_is_long_at_least():
    chosen = tasks(stage="step", train_seeds=2)
    ids = [task.id for task in await chosen.take("train", 1_000)]
    assert (
        len(ids)
        == len(set(ids))
        == chosen.size("train")
        == 2 * (2 * STEPS["settings"] + 2 * STEPS["shop"] + STEPS["miniwob"])
    )
    seeded = [id async for id in chosen.ids("train", 3)]
    assert sorted(seeded) == sorted(ids)


@pytest.mark.parametrize(
    "id",
    [
        "",
        "settings-phone",
        "settings-phone/01",
        "settings-phone/-1",
        "settings-window/0",
        "shop-phone/999999",
        "settings-phone/0@0",
        "x/y",
    ],
)
async def test_other_ids_are_told_to_be_none(id):
    with pytest.raises(TaskError, match="ids are settings-phone or shop-phone"):
        await tasks().get(id)


@pytest.mark.parametrize("id", ["settings-phone/0", "settings-phone/0@3", "settings-phone/0@x", "shop-phone/0@7"])
async def test_and_those_of_the_other_stage_too(id):
    with pytest.raises(TaskError, match="@0, the number of a step"):
        await tasks(stage="step").get(id)

"""Episodes by hand: every kind of task, every tool, what tools refuse, forks."""

import json

import pytest

from agentgym.envs.travel.policies import searches
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.tasks import world_of
from agentgym.errors import TaskError
from agentgym.policy import Context
from agentgym.runtime import Runtime
from agentgym.seeds import content_hash
from agentgym.tasks import SPLITS, Task
from agentgym.types import Observation
from tests.envs.travel.conftest import TASKS, task_of
from tests.envs.travel.conftest import task as get

GOLDEN = "7d1bcbe313716749"


def looked_up(task, stage=0):
    return searches(Context((), (), Observation(), task), stage)


def best(task, stage=0):
    return json.dumps(task.secret["stages"][stage]["plan"])


async def test_single_shot(player):
    task = await task_of("single")
    said = await player.start(task)
    assert task.payload["message"] in said and "Rules of a plan" in said
    await player.look(looked_up(task))
    await player.call("submit_plan", plan=best(task))
    assert player.record.success == 1 and player.record.total == pytest.approx(1.0)


async def test_a_plan_may_be_json_or_text(player):
    task = await task_of("single")
    await player.start(task)
    await player.look(looked_up(task))
    await player.call("submit_plan", plan=json.loads(best(task)))
    assert player.record.success == 1


async def test_clarify_first(player):
    """Who does not ask is not grounded, even with the right plan."""
    task = await task_of("clarify")
    assert task.secret["held"]
    for ask in (False, True):
        await player.start(task)
        if ask:
            said = await player.call("ask_traveller", question="When? How many people? What budget?")
            assert player.info.calls[0].effective and task.secret["stages"][0]["trip"]["start"] in said
        await player.look([call for call in looked_up(task) if call[0] != "ask_traveller"])
        await player.call("submit_plan", plan=best(task))
        assert player.record.success == float(ask)
    assert (
        task.secret["stages"][0]["trip"]["start"] not in task.payload["message"] or "dates" not in task.secret["held"]
    )


@pytest.mark.parametrize("kind", ["revise", "disruption"])
async def test_the_traveller_changes_something(player, kind):
    """The old plan is not good enough again, and every stage counts."""
    task = await task_of(kind)
    assert len(task.secret["stages"]) == 2
    for second in (0, 1):
        await player.start(task)
        await player.look(looked_up(task))
        said = await player.call("submit_plan", plan=best(task))
        assert task.secret["stages"][1]["message"] in said and player.env.ended is None
        await player.look(looked_up(task, 1))
        await player.call("submit_plan", plan=best(task, second))
        assert player.record.success == float(second)
    assert player.value("trajectory") == 1


async def test_what_was_struck_is_no_longer_shown(player):
    task = await task_of("disruption")
    shut = set(task.secret["stages"][1]["shut"])
    await player.start(task)
    await player.look(looked_up(task))
    before = set(player.env.desk.shown)
    assert before & shut
    await player.call("submit_plan", plan=best(task))
    player.env.desk.shown.clear()
    await player.look(looked_up(task))
    assert not set(player.env.desk.shown) & shut


async def test_unsolvable(player):
    """It has to be said, with a wish that is in the way and a plan without it."""
    task = await task_of("unsolvable")
    stage = task.secret["stages"][0]
    for name, arguments, success in (
        ("submit_plan", {}, 0),
        ("report_unsolvable", {"conflict": stage["give_up"]}, 1),
        ("report_unsolvable", {"conflict": "back_by"}, 0),
    ):
        assert "back_by" not in stage["relaxations"]
        await player.start(task)
        await player.look(looked_up(task))
        await player.call(name, plan=best(task), **arguments)
        assert player.record.success == success, player.record
        assert success or player.record.total == 0


async def test_a_plan_is_not_unsolvable(player):
    task = await task_of("single")
    await player.start(task)
    await player.look(looked_up(task))
    await player.call("report_unsolvable", conflict="budget", plan=best(task))
    assert player.record.total == 0


async def test_what_is_no_plan_is_told_and_not_submitted(player):
    task = await task_of("single")
    await player.start(task)
    for plan in ("", "[]", "{", "x" * 1_000_000, json.dumps([{"days": 1}]), [1], [{"days": 1, "current_city": 5}]):
        assert "was not submitted" in await player.call("submit_plan", plan=plan)
        assert player.env.ended is None and not player.info.calls[0].ok
    assert "bad arguments" in await player.call("submit_plan", plan=5)
    assert "bad arguments" in await player.call("report_unsolvable", conflict="everything", plan="[]")


async def test_tools_say_what_is_wrong(player):
    task = await task_of("single")
    await player.start(task)
    world = world_of(task.payload["world"])
    city, other = sorted(world.cities)[:2]
    day = world.days[0]
    assert f"did you mean {city}" in await player.call("search_restaurants", city=city[:-1] + "x")
    assert 'no city "x\' OR 1=1 --"' in await player.call("search_hotels", city="x' OR 1=1 --", check_in=day)
    assert "dates are" in await player.call("search_flights", origin=city, destination=other, date="1999-01-01")
    assert "dates are" in await player.call("search_hotels", city=city, check_in="tomorrow")
    assert "nights must be" in await player.call("search_hotels", city=city, check_in=day, nights=-3)
    assert "numbered from 1" in await player.call("search_attractions", city=city, page=0)
    assert "no region" in await player.call("search_cities", region="Narnia")
    assert "no place" in await player.call("route", origin="Nothing, Nowhere", destination=f"x, {city}")
    assert "people must be" in await player.call("route", origin=city, destination=_near(world, city), people=-1)
    text = await player.call("search_restaurants", city=city.upper(), page=99)
    assert "page 99 of" in text and not player.info.calls[0].effective


def _near(world, city):
    return world.db.execute("SELECT destination FROM roads WHERE origin = ?", (city,)).fetchone()[0]


async def test_the_desk(player):
    await player.start(await task_of("single"))
    assert "empty" in await player.call("notebook")
    assert await player.call("notebook", note="Zürich? ✓") == "Zürich? ✓"
    assert "is full" in await player.call("notebook", note="x" * 30_000)
    assert await player.call("notebook") == "Zürich? ✓"
    assert len((await player.call("calendar")).splitlines()) == 14
    assert "You may ask" in await player.call("ask_traveller", question="???") or not player.info.calls[0].effective


async def test_forks_go_apart_and_share_the_world(player):
    task = await task_of("single")
    await player.start(task)
    await player.look(looked_up(task)[:2])
    branch = await player.env.fork()
    before = await player.env.state_hash()
    assert await branch.state_hash() == before and branch.world is player.env.world
    player.env, parent = branch, player.env
    await player.call("notebook", note="only here")
    assert await branch.state_hash() != before == await parent.state_hash()
    player.env = parent
    await branch.close()


async def test_a_broken_task_is_refused(player):
    with pytest.raises(TaskError, match="is no task of travel/planner-v0"):
        await player.start(Task("x", "travel/planner", {"message": "hello"}))


# ---- tasks ----------------------------------------------------------------------------------------------------------


async def test_tasks_stay_what_they_are():
    hashes = [(await get(f"{split}-{number}")).hash for split in SPLITS for number in range(5)]
    assert len(set(hashes)) == 15
    assert content_hash(hashes)[:16] == GOLDEN, "tasks have changed: a new version of the environment is due"


async def test_nothing_that_is_held_back_is_in_the_payload():
    task = await task_of("clarify")
    trip = task.secret["stages"][0]["trip"]
    if "budget" in task.secret["held"]:
        assert str(trip["budget"]) not in json.dumps(task.payload)
    assert "optimum" not in json.dumps(task.payload)


async def test_worlds_and_phrasings_of_the_test_split_are_its_own():
    train, test = await get("train-0"), await get("test-0")
    assert train.payload["world"] != test.payload["world"]
    opening = test.payload["message"].partition(".")[0]
    assert not any(
        opening.startswith(words) for words in ("Please plan", "Could you", "We live", "I need", "Help me", "Looking")
    )


@pytest.mark.parametrize("id", ["train", "train--1", "train-01", "dev-1", "test-²", "test-2147483648"])
async def test_other_ids_are_no_tasks(id):
    with pytest.raises(TaskError):
        await TASKS.get(id)


async def test_difficulty_is_a_knob():
    spec = PLANNER.configure(kinds=("single",), levels=("hard",), slack=0.0, days=3)
    async with Runtime() as runtime:
        for task in await runtime.tasks(spec).take("train", 3):
            stage = task.secret["stages"][0]
            assert task.tags == ("single", "hard") and stage["trip"]["days"] == 3
            assert stage["trip"]["budget"] == stage["optimum"]

"""Worlds: the same for the same seed, real where they claim to be, and with what the solver relies on."""

import sqlite3

import pytest

from agentgym.envs.travel.clock import weekday
from agentgym.envs.travel.generate import EARLY, LATE, build
from agentgym.envs.travel.places import cities, fold, km_between
from agentgym.envs.travel.rules import DAY, MEAL_MINUTES, MEAL_STARTS, MEALS
from agentgym.envs.travel.schedule import Item, timetable
from agentgym.envs.travel.world import World, is_open

GOLDEN = "e50324863872d4da"


@pytest.fixture(scope="module")
def world() -> World:
    return build(1)


def test_a_seed_is_a_world(world: World) -> None:
    assert build(1).hash == world.hash != build(2).hash
    assert world.hash[:16] == GOLDEN, "worlds have changed: a new version of the environment is due"


def test_cities_are_real() -> None:
    by_name = {city.name: city for city in cities()}
    assert by_name["Chicago"].region == "Illinois" and by_name["Chicago"].zone == "America/Chicago"
    assert km_between(by_name["Rome"], by_name["Milan"]) == pytest.approx(477, abs=10)
    assert len({fold(name) for name in by_name}) == len(by_name)  # no two can be taken for each other


def test_nothing_can_be_written(world: World) -> None:
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|query_only"):
        world.db.execute("DELETE FROM hotels")


def test_times_are_local(world: World) -> None:
    for number, origin, destination, departs, arrives, minutes in world.db.execute(
        "SELECT number, origin, destination, departs, arrives, minutes FROM journeys"
    ):
        assert arrives - departs - minutes == world.shift(origin, destination), number
        assert DAY[0] <= departs < arrives + 720 and arrives <= DAY[1]


@pytest.mark.parametrize("seed", range(3))
def test_every_journey_leaves_time_for_a_visit(seed: int) -> None:
    world = build(seed)
    rows = world.db.execute("SELECT departs, arrives FROM journeys").fetchall()
    assert rows and all(departs >= LATE or arrives <= EARLY for departs, arrives in rows)
    for city in world.cities:
        for day in world.days:
            open_ = [row for row in world.attractions(city) if is_open(row, day, 660, 660 + row.minutes)]
            assert len(open_) >= 3


@pytest.mark.parametrize("seed", range(2))
def test_a_full_day_has_time_for_any_meals_and_a_visit(seed: int) -> None:
    """The premise of the solver: meals are chosen without a look at the clock."""
    world = build(seed)
    for city in list(world.cities)[::4]:
        day = world.days[seed]
        visit = [row for row in world.attractions(city) if row.closed_on != weekday(day)][-1]
        for meal in MEALS:
            first = MEAL_STARTS[meal][0]
            able = [row for row in world.restaurants(city) if row.closed_on != weekday(day)]
            serving = [row for row in able if is_open(row, day, first, first + MEAL_MINUTES[meal])]
            late = [row for row in able if row not in serving and row.opens <= MEAL_STARTS[meal][1]]
            assert len(serving) >= 3
            assert not [row for row in late if timetable(day, [Item(meal, row)]) is not None]
        three = [
            next(
                Item(meal, row)
                for row in world.restaurants(city)[n:]
                if is_open(row, day, MEAL_STARTS[meal][0], MEAL_STARTS[meal][0] + MEAL_MINUTES[meal])
            )
            for n, meal in enumerate(MEALS)
        ]
        if len({item.place.name for item in three}) == 3:
            assert timetable(day, [*three, Item("attraction", visit)]) is not None


def test_names_are_found_whatever_their_accents(world: World) -> None:
    row = world.hotels(next(iter(world.cities)))[0]
    assert world.find("hotel", row.name.upper(), row.city) is row
    assert world.find("hotel", row.name[:-1], row.city) is None
    assert world.find("hotel", "", row.city) is None
    assert fold("Đà Nẵng") == "da nang"

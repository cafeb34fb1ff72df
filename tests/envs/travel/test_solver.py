"""The optimum: what the solver gives is a valid plan, and nothing is cheaper (enumeration, by another way)."""

from dataclasses import replace
from itertools import combinations, permutations, product
from random import Random

import pytest

from agentgym.envs.travel import commonsense, feasible, hard
from agentgym.envs.travel.generate import build
from agentgym.envs.travel.itinerary import look_up
from agentgym.envs.travel.meals import best_meals, fill, serves
from agentgym.envs.travel.plan import read_plan
from agentgym.envs.travel.render import render
from agentgym.envs.travel.rules import CUISINES, MEALS, ROOM_TYPES, RULES, road_cost, rooms_for
from agentgym.envs.travel.solver import Solver
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import World


def trips(world: World, count: int, seed: int, days: tuple[int, ...] = (3, 5, 7)) -> list[Trip]:
    rng, found = Random(seed), []
    for _ in range(count):
        length = rng.choice(days)
        region = rng.choice(sorted(world.regions))
        home = rng.choice([city for city in world.cities if city not in world.regions[region]])
        place = rng.choice(world.regions[region]) if length == 3 else region
        start = world.days[rng.randrange(len(world.days) - length + 1)]
        found.append(
            Trip(
                *(home, place, length, {3: 1, 5: 2, 7: 3}[length], start, rng.randint(1, 6), 10**9),
                house_rule=rng.choice(("", rng.choice(RULES))),
                cuisine=tuple(rng.sample(CUISINES, rng.randint(0, 2))),
                room_type=rng.choice(("", "", *ROOM_TYPES)),
                transportation=rng.choice(("", "no flight", "no self-driving")),
                depart_after=rng.choice((None, 600, 800)),
                back_by=rng.choice((None, 1080)),
                timed=rng.random() < 0.5,
            )
        )
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_solution_is_a_plan_that_costs_what_it_says(seed: int) -> None:
    world, solved = build(seed), 0
    for trip in trips(world, 12, seed):
        found = Solver(world, trip).best()
        if found is None:
            continue
        solved += 1
        plan = look_up(read_plan(render(found, world, trip)), world, trip, frozenset())
        said = {
            name: check(plan)
            for checks in (commonsense.CHECKS, feasible.CHECKS, hard.checks(trip))
            for name, check in checks.items()
        }
        assert not any(said.values()), (trip, said)
        assert plan.cost() == found.cost
    assert solved >= 3


class Small(World):
    """A world with few hotels and restaurants a city, so that all plans can be looked at."""

    def hotels(self, city, shut=frozenset()):
        return super().hotels(city, shut)[:4]

    def restaurants(self, city, shut=frozenset()):
        return super().restaurants(city, shut)[:9]


def cheapest_by_enumeration(world: World, trip: Trip) -> float:
    """All plans of a trip of three days without times of day, one after another. Shares no code with the solver."""
    city, (first, day, last) = trip.destination, trip.dates
    best = float("inf")
    party = trip.people
    fit = [
        row
        for row in world.hotels(city)
        if trip.house_rule not in row.forbids and (not trip.room_type or row.room_type == ROOM_TYPES[trip.room_type])
    ]
    hotels = [
        (one.price * -(-party // one.occupancy)) + (two.price * -(-party // two.occupancy))
        for one, two in product(fit, fit)
        if max(one.minimum_nights, two.minimum_nights) <= (2 if one is two else 1)
        and world.free_rooms(one, (first,)) >= -(-party // one.occupancy)
        and world.free_rooms(two, (day,)) >= -(-party // two.occupancy)
    ]
    meals = [
        sum(row.price for row in chosen) * trip.people
        for chosen in permutations(world.restaurants(city), 3)
        if all(serves(row, day, meal) for row, meal in zip(chosen, MEALS, strict=True))
        and set(trip.cuisine) <= {kind for row in chosen for kind in row.cuisines.split(", ")}
    ]
    out, home = (
        [("flight", row.price * trip.people) for row in world.journeys(*hop, "flight") if row.seats >= trip.people]
        + [("train", row.price * trip.people) for row in world.journeys(*hop, "train") if row.seats >= trip.people]
        + [
            (mode, road_cost(mode, road.km, trip.people))
            for mode in ("self-driving", "taxi")
            if (road := world.road(*hop[:2]))
        ]
        for hop in ((trip.home, city, first), (city, trip.home, last))
    )
    banned = trip.transportation.removeprefix("no ")
    for (mode, there), (mode_, back) in product(out, home):
        if banned not in (mode, mode_) and (mode == "self-driving") == (mode_ == "self-driving"):
            best = min(best, there + back + min(hotels, default=float("inf")) + min(meals, default=float("inf")))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_cheaper_than_the_optimum(seed: int) -> None:
    small, compared = Small(build(seed).db), 0
    for trip in trips(small, 14, seed + 10, days=(3,)):
        trip = replace(trip, depart_after=None, back_by=None)
        if len(trip.cuisine) > 1:
            trip = replace(trip, cuisine=trip.cuisine[:1])
        found = Solver(small, trip).best()
        wanted = cheapest_by_enumeration(small, trip)
        if trip.cuisine and found is not None:  # a meal beside a journey may be a cheaper way to a cuisine
            assert found.cost <= wanted
            continue
        assert (float("inf") if found is None else found.cost) == wanted, trip
        compared += wanted < float("inf")
    assert compared >= 1


def brute_meals(places, days, free, cuisines):
    """The least price for each set of cuisines, by trying all seatings."""
    slots = [(day, meal, 0) for day in days for meal in MEALS]
    best = {}
    for seated in permutations(places, len(slots)):
        if not all(serves(place, *slot) for place, slot in zip(seated, slots, strict=True)):
            continue
        others = [place for place in places if place not in seated]
        for count in range(min(len(free), 2) + 1):
            for extra in permutations(others, count):
                for at in combinations(free, count):
                    if all(serves(place, *slot) for place, slot in zip(extra, at, strict=True)):
                        eaten = (*seated, *extra)
                        price = sum(place.price for place in eaten)
                        had = {kind for place in eaten for kind in place.cuisines.split(", ")}
                        mask = sum(1 << n for n, kind in enumerate(cuisines) if kind in had)
                        best[mask] = min(best.get(mask, price), price)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_meals_are_the_cheapest_for_every_set_of_cuisines(seed: int) -> None:
    world, rng = build(seed), Random(seed)
    city, days = rng.choice(sorted(world.cities)), world.days
    for full in ((), (days[1],)):
        places = world.restaurants(city)[seed : seed + 7]
        free = [(days[0], "dinner", 1100), (days[2], "breakfast", 0)]
        cuisines = rng.sample(CUISINES, 2)
        ours = best_meals(places, full, free, cuisines)
        theirs = brute_meals(places, full, free, cuisines)
        for wanted in range(4):
            mine = min((meals.price for mask, meals in ours.items() if mask & wanted == wanted), default=None)
            assert mine == min((price for mask, price in theirs.items() if mask & wanted == wanted), default=None)


def test_greedy_seating_moves_others_when_it_must() -> None:
    """The cheapest place serves all meals, the next only breakfast, ...: who comes first must give way."""
    world = build(0)
    places = [row for city in world.cities for row in world.restaurants(city) if row.closed_on == -1]
    everything = replace(next(row for row in places if (row.opens, row.closes) == (420, 1260)), price=1)
    breakfast = replace(next(row for row in places if (row.opens, row.closes) == (390, 660)), price=2)
    lunch = replace(next(row for row in places if (row.opens, row.closes) == (660, 930)), price=3)
    seated = fill([everything, breakfast, lunch], [world.days[0]])
    assert seated is not None and {slot[1]: row for slot, row in seated.items()}["dinner"] is everything
    assert fill([everything, breakfast], [world.days[0]]) is None


def test_rooms_and_cars_are_counted_as_travelplanner_does() -> None:
    assert [rooms_for(people, 2) for people in (1, 2, 3)] == [1, 1, 2]
    assert road_cost("self-driving", 399, 6) == int(0.05 * 399) * 2
    assert road_cost("taxi", 100, 5) == 200

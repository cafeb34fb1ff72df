"""A world, its tasks and plans as TravelPlanner's files, so that its own evaluator can be run on our plans. Writes only.

The folder has the layout of its `database/`, `queries.jsonl` and `plans.jsonl` beside it.  It knows neither trains nor
times: plans by train are left out and counted, `activities` are dropped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentgym.envs.travel.clock import hm, span
from agentgym.envs.travel.plan import BadPlan, read_plan
from agentgym.envs.travel.render import render
from agentgym.envs.travel.rules import MEALS
from agentgym.envs.travel.solver import Solver
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import World

Plan = list[dict[str, Any]]


def write_world(world: World, folder: Path) -> None:
    """The five tables and the list of cities with their states, under their own names."""
    journeys = world.rows("SELECT * FROM journeys WHERE kind = 'flight' ORDER BY number")
    _csv(
        folder / "flights" / "clean_Flights_2022.csv",
        "Flight Number,Price,DepTime,ArrTime,ActualElapsedTime,FlightDate,OriginCityName,DestCityName,Distance",
        (
            (number, price, hm(departs), hm(arrives), span(minutes), date, origin, destination, km)
            for number, _, origin, destination, date, departs, arrives, minutes, price, _, km, _ in journeys
        ),
    )
    _csv(
        folder / "accommodations" / "clean_accommodations_2022.csv",
        "NAME,room type,price,minimum nights,review rate number,house_rules,maximum occupancy,city",
        (
            (name, room, price, nights, rating, rules or "-", occupancy, city)
            for city, name, room, price, nights, rating, rules, occupancy, _, _ in world.rows("SELECT * FROM hotels")
        ),
    )
    _csv(
        folder / "restaurants" / "clean_restaurant_2022.csv",
        "Name,City,Cuisines,Average Cost,Aggregate Rating",
        world.rows("SELECT name, city, cuisines, price, rating FROM restaurants"),
    )
    _csv(
        folder / "attractions" / "attractions.csv",
        "Name,Latitude,Longitude,Address,Phone,Website,City",
        _attractions(world),
    )
    _csv(
        folder / "googleDistanceMatrix" / "distance.csv",
        "origin,destination,cost,duration,distance",
        ((a, b, "-", span(minutes), f"{km} km") for a, b, km, minutes in world.rows("SELECT * FROM roads")),
    )
    states = "\n".join(f"{name}\t{city.region}" for name, city in world.cities.items())
    _write(folder / "background" / "citySet_with_states.txt", states)


def query(trip: Trip, message: str) -> dict[str, Any]:
    """TravelPlanner's record of a query. What it has no field for is in the text only."""
    local = {
        "house rule": trip.house_rule or None,
        "cuisine": list(trip.cuisine) or None,
        "room type": trip.room_type or None,
        "transportation": trip.transportation or None,
    }
    return {
        "org": trip.home,
        "dest": trip.destination,
        "days": trip.days,
        "visiting_city_number": trip.visits,
        "date": list(trip.dates),
        "people_number": trip.people,
        "local_constraint": local,
        "budget": trip.budget,
        "query": message,
        "level": trip.level,
    }


def converted(plan: Plan) -> Plan:
    """A plan as TravelPlanner writes it: a semicolon after each attraction, no times of ours.

    Raises BadPlan for what is no plan, and for one with a train, which TravelPlanner does not know.
    """
    for day in read_plan(plan):
        if day.ride is not None and day.ride.mode == "train":
            raise BadPlan(f"day {day.number} goes by train, which TravelPlanner does not know")
    fields = ("current_city", "transportation", *MEALS, "attraction", "accommodation")
    made = []
    for number, day_ in enumerate((day for day in plan if day), 1):
        row: dict[str, Any] = {"days": number, **{field: day_.get(field) or "-" for field in fields}}
        if row["attraction"] != "-":
            row["attraction"] = row["attraction"].rstrip("; ") + ";"
        made.append(row)
    return made


def without_trains(world: World, trip: Trip) -> Plan | None:
    """The cheapest plan that TravelPlanner can read, if there is one within the budget."""
    trains = frozenset(number for (number,) in world.rows("SELECT number FROM journeys WHERE kind = 'train'"))
    found = Solver(world, trip, trains).best()
    return render(found, world, trip, trains) if found and found.cost <= trip.budget else None


def write_plans(folder: Path, made: Sequence[tuple[dict[str, Any], Plan | None]]) -> int:
    """`queries.jsonl` and `plans.jsonl`, line by line of one another. How many plans there are."""
    lines = [{"idx": n, "query": query["query"], "plan": plan} for n, (query, plan) in enumerate(made, 1)]
    _write(folder / "queries.jsonl", "".join(json.dumps(query, ensure_ascii=False) + "\n" for query, _ in made))
    _write(folder / "plans.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return sum(plan is not None for _, plan in made)


def first_plan(artefacts: Mapping[str, str]) -> Plan | None:
    """The first plan that an episode submitted; None without one."""
    submissions = json.loads(artefacts.get("submissions", "[]"))
    plan: Plan | None = json.loads(submissions[0]["plan"]) if submissions else None
    return plan


def _attractions(world: World) -> Iterator[tuple[Any, ...]]:
    for name, city in world.cities.items():
        for row in world.attractions(name):
            lat, lon = round(city.lat + row.y / 111, 4), round(city.lon + row.x / 80, 4)
            yield row.name, lat, lon, f"{row.name}, {name}", row.phone, row.website, name


def _csv(path: Path, header: str, rows: Iterable[Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

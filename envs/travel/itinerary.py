"""Itinerary: a plan with every name looked up in the world. What was not found stays None; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from agentgym.envs.travel import plan as written
from agentgym.envs.travel.rules import CARS, MEALS, road_cost, rooms_for
from agentgym.envs.travel.schedule import Item
from agentgym.envs.travel.schedule import Ride as Timed
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import Attraction, Hotel, Journey, Restaurant, Road, World


@dataclass(slots=True)
class Day:
    """A day of the plan beside what the world knows of it. `date` is the trip's, "" beyond its end."""

    plan: written.Day
    date: str
    cities: tuple[str | None, ...]
    journey: Journey | None = None
    road: Road | None = None
    meals: dict[str, Restaurant | None] = field(default_factory=dict)
    attractions: list[Attraction | None] = field(default_factory=list)
    hotel: Hotel | None = None

    @property
    def moving(self) -> bool:
        return len(self.cities) == 2

    @property
    def mode(self) -> str:
        return self.plan.ride.mode if self.plan.ride else ""

    @property
    def here(self) -> str | None:
        """Where the day ends."""
        return self.cities[-1]

    def items(self) -> list[Item]:
        """What is done, as far as it is known."""
        meals = [Item(meal, place) for meal in MEALS if (place := self.meals.get(meal))]
        return meals + [Item("attraction", place) for place in self.attractions if place]


@dataclass(slots=True)
class Itinerary:
    world: World
    trip: Trip
    days: list[Day]
    shut: Set[str]

    def stays(self) -> Iterator[tuple[Hotel, tuple[str, ...]]]:
        """Hotels with the nights in a row that are spent there."""
        run: list[Day] = []
        for day in [*self.days, None]:
            if run and (day is None or day.hotel != run[0].hotel):
                if run[0].hotel is not None:
                    yield run[0].hotel, tuple(each.date for each in run)
                run = []
            if day is not None:
                run.append(day)

    def cost(self) -> int:
        """TravelPlanner's: tickets and meals a person, cars, rooms by occupancy; what was not found costs nothing."""
        people, total = self.trip.people, 0
        for day in self.days:
            if day.journey is not None:
                total += day.journey.price * people
            elif day.road is not None and day.mode in CARS:
                total += road_cost(day.mode, day.road.km, people)
            total += sum(place.price for place in day.meals.values() if place) * people
            if day.hotel is not None:
                total += day.hotel.price * rooms_for(people, day.hotel.occupancy)
        return total

    def ride(self, day: Day, *, limited: bool = True) -> Timed | None:
        """The day's journey for a timetable; None without one. `limited`: with the trip's own limits on times."""
        told = day.plan.ride
        if told is None or (day.journey is None and day.road is None):
            return None
        if day.journey is not None:
            row = day.journey
            return Timed(row.kind, row.origin, row.destination, row.minutes, row.departs, row.arrives)
        road = day.road
        assert road is not None
        shift = self.world.shift(road.origin, road.destination)
        departs = told.departs
        arrives = None if departs is None else departs + road.minutes + shift
        bounds: dict[str, int] = {}
        if limited and day is self.days[0] and self.trip.depart_after is not None:
            bounds["not_before"] = self.trip.depart_after
        if limited and day is self.days[-1] and self.trip.back_by is not None:
            bounds["not_after"] = self.trip.back_by
        return Timed(told.mode, road.origin, road.destination, road.minutes, departs, arrives, shift=shift, **bounds)


def look_up(days: Sequence[written.Day], world: World, trip: Trip, shut: Set[str]) -> Itinerary:
    """Find everything that the plan names; what `shut` takes away is not found."""
    dates = trip.dates
    found = []
    for day in days:
        date = dates[day.number - 1] if day.number <= len(dates) else ""
        made = Day(day, date, tuple(world.city(name) for name in day.cities))
        _find_ride(made, world, shut)
        for meal, named in day.meals.items():
            made.meals[meal] = _find(world, "restaurant", named, shut)
        made.attractions = [_find(world, "attraction", named, shut) for named in day.attractions]
        made.hotel = _find(world, "hotel", day.hotel, shut) if day.hotel else None
        found.append(made)
    return Itinerary(world, trip, found, shut)


def _find(world: World, kind: str, named: written.Named, shut: Set[str]) -> Any:
    city = world.city(named.city)
    place = world.find(kind, named.name, city) if city else None
    return None if place is None or place.key in shut else place


def _find_ride(day: Day, world: World, shut: Set[str]) -> None:
    """Number, origin and destination must all be those of one journey; a drive needs its road."""
    if (told := day.plan.ride) is None:
        return
    origin, destination = world.city(told.origin), world.city(told.destination)
    if origin is None or destination is None:
        return
    if told.mode in CARS:
        day.road = world.road(origin, destination)
        return
    row = world.journey(told.number)
    if row and (row.kind, row.origin, row.destination) == (told.mode, origin, destination) and row.key not in shut:
        day.journey = row

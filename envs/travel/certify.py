"""Ask CP-SAT for the optimum, from a model that shares nothing with `solver` but the world. Needs the extra `travel-build`.

A night is one place, a day one journey or none, a slot one restaurant or none; everything is linear over these.  Used
when tasks are checked before a release; no episode needs it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from agentgym.envs.travel.hard import allows, suits
from agentgym.envs.travel.meals import serves
from agentgym.envs.travel.rules import AFTER, BEFORE, CARS, DAY, MEAL_MINUTES, MEAL_STARTS, MEALS, road_cost, rooms_for
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import NOTHING, Restaurant, World
from agentgym.errors import UsageError, VerifierError


def optimum(world: World, trip: Trip, shut: Set[str] = NOTHING, seconds: float = 60.0) -> int | None:
    """The least cost whatever the budget, proven by CP-SAT; None if it proves that there is no plan.

    Raises UsageError without ortools, VerifierError if it proves nothing in time.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise UsageError("CP-SAT is in ortools: pip install 'agentgym[travel-build]'") from None
    built = _Model(world, trip, shut, cp_model.CpModel())
    built.build()
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    status = solver.solve(built.model)
    if status == cp_model.INFEASIBLE:
        return None
    if status != cp_model.OPTIMAL:
        raise VerifierError(f"CP-SAT proved nothing about {trip} in {seconds:g} s")
    cost: float = solver.objective_value
    return round(cost)


@dataclass(slots=True)
class _Model:
    world: World
    trip: Trip
    shut: Set[str]
    model: Any
    sleeps: dict[tuple[str, int], Any] = field(default_factory=dict)
    moves: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    cost: list[Any] = field(default_factory=list)
    covers: dict[str, list[Any]] = field(default_factory=dict)
    eats: dict[tuple[str, int, str], list[tuple[Restaurant, Any]]] = field(default_factory=dict)
    legs: list[tuple[Any, str, str, int, str, int, int]] = field(default_factory=list)

    def build(self) -> None:
        self._nights()
        self._journeys()
        self._hotels()
        self._meals()
        self.model.minimize(sum(self.cost))

    def _cities(self) -> list[str]:
        trip = self.trip
        there = [trip.destination] if trip.visits == 1 else self.world.regions[trip.destination]
        return [city for city in there if city != trip.home]

    def _nights(self) -> None:
        """Each night in one city; each city in one piece; as many cities as are wanted."""
        trip, model, nights = self.trip, self.model, range(self.trip.days - 1)
        visited = []
        for city in self._cities():
            starts = []
            for n in nights:
                self.sleeps[city, n] = model.new_bool_var(f"{city} {n}")
            for n in nights:
                start = model.new_bool_var(f"{city} from {n}")
                before = self.sleeps[city, n - 1] if n else 0
                model.add(start >= self.sleeps[city, n] - before)
                starts.append(start)
            seen = model.new_bool_var(city)
            model.add(sum(starts) <= 1)
            model.add(seen <= sum(self.sleeps[city, n] for n in nights))
            for n in nights:
                model.add(seen >= self.sleeps[city, n])
            if city == trip.must_visit:
                model.add(seen == 1)
            visited.append(seen)
        model.add(sum(visited) == trip.visits)
        for n in nights:
            model.add_exactly_one(self.sleeps[city, n] for city in self._cities())

    def _at(self, city: str, night: int) -> Any:
        """Whether the party is there on a night; before the first and after the last it is at home."""
        if night in (-1, self.trip.days - 1):
            return int(city == self.trip.home)
        return self.sleeps.get((city, night), 0)

    def _journeys(self) -> None:
        trip, model = self.trip, self.model
        car = model.new_bool_var("car")
        everywhere = [trip.home, *self._cities()]
        for day in range(trip.days):
            for a in everywhere:
                for b in everywhere:
                    if a == b:
                        continue
                    ways = []
                    for mode, departs, arrives, cost in self._ways(a, b, day):
                        way = model.new_bool_var(f"{mode} {a} {b} {day}")
                        model.add(way <= car if mode == "self-driving" else way <= 1 - car)
                        self.cost.append(cost * way)
                        self.legs.append((way, a, b, day, mode, departs, arrives))
                        ways.append(way)
                    model.add(sum(ways) >= self._at(a, day - 1) + self._at(b, day) - 1)
                    model.add(sum(ways) <= 1)
                    for way in ways:
                        model.add(way <= self._at(a, day - 1))
                        model.add(way <= self._at(b, day))

    def _ways(self, a: str, b: str, day: int) -> list[tuple[str, int, int, int]]:
        """(mode, departure, arrival, cost); a drive at every five minutes, whatever is eaten when."""
        trip, date = self.trip, self.trip.dates[day]
        found = []
        for kind in ("flight", "train"):
            for row in self.world.journeys(a, b, date, kind, self.shut):
                if row.seats >= trip.people:
                    found.append((kind, row.departs, row.arrives, row.price * trip.people))
        if road := self.world.road(a, b):
            for mode in CARS:
                takes = road.minutes + self.world.shift(a, b)
                step = 15 if trip.cuisine else 5
                found += [
                    (mode, departs, departs + takes, road_cost(mode, road.km, trip.people))
                    for departs in range(DAY[0], DAY[1], step)
                ]
        first = trip.depart_after if day == 0 and trip.depart_after is not None else DAY[0]
        last = trip.back_by if day == trip.days - 1 and trip.back_by is not None else DAY[1]
        banned = trip.transportation.removeprefix("no ")
        return [way for way in found if way[0] != banned and way[1] >= first and way[2] <= last]

    def _hotels(self) -> None:
        """A bed each night; runs of nights in one hotel are as long as it asks."""
        trip, model = self.trip, self.model
        nights = range(trip.days - 1)
        for city in self._cities():
            beds: dict[int, list[Any]] = {n: [] for n in nights}
            for hotel in self.world.hotels(city, self.shut):
                rooms = rooms_for(trip.people, hotel.occupancy)
                if not (allows(hotel, trip) and suits(hotel, trip)):
                    continue
                bed = []
                for n in nights:
                    bed.append(model.new_bool_var(f"{hotel.name} {n}"))
                    if self.world.free_rooms(hotel, (trip.dates[n],)) < rooms:
                        model.add(bed[n] == 0)
                    self.cost.append(hotel.price * rooms * bed[n])
                    beds[n].append(bed[n])
                for n in nights:
                    start = bed[n] - (bed[n - 1] if n else 0)
                    for later in range(n + 1, n + hotel.minimum_nights):
                        model.add((bed[later] if later in nights else 0) >= start)
            for n in nights:
                model.add(sum(beds[n]) == self.sleeps[city, n])

    def _meals(self) -> None:
        trip, model = self.trip, self.model
        covers: dict[str, list[Any]] = {kind: [] for kind in trip.cuisine}
        slots: dict[tuple[int, str], list[Any]] = {}
        for city in self._cities():
            for place in self.world.restaurants(city, self.shut):
                eaten = []
                for day in range(1, trip.days - 1):
                    full = model.new_bool_var("")
                    model.add(full <= self._at(city, day - 1))
                    model.add(full <= self._at(city, day))
                    for meal in MEALS:
                        if serves(place, trip.dates[day], meal):
                            eat = model.new_bool_var("")
                            model.add(eat <= full)
                            self.eats.setdefault((city, day, meal), []).append((place, eat))
                            slots.setdefault((day, meal), []).append(eat)
                            eaten.append(eat)
                eaten += self._beside_journeys(city, place, slots) if trip.cuisine else []
                model.add(sum(eaten) <= 1)
                self.cost.append(place.price * trip.people * sum(eaten))
                for kind in set(trip.cuisine) & set(place.cuisines.split(", ")):
                    covers[kind] += eaten
        for city in self._cities():
            for day in range(1, trip.days - 1):
                for meal in MEALS:
                    had = sum(eat for _, eat in self.eats.get((city, day, meal), []))
                    model.add(had >= self._at(city, day - 1) + self._at(city, day) - 1)
        for each in slots.values():
            model.add(sum(each) <= 1)
        for kind in trip.cuisine:
            model.add(sum(covers[kind]) >= 1)

    def _beside_journeys(self, city: str, place: Restaurant, slots: dict[tuple[int, str], list[Any]]) -> list[Any]:
        """Meals on days with a journey: done in time before it, or begun in time after it."""
        eaten = []
        for day, date in enumerate(self.trip.dates):
            for meal in MEALS:
                fitting = [
                    way
                    for way, a, b, on, mode, departs, arrives in self.legs
                    if on == day
                    and (
                        (
                            a == city
                            and serves(place, date, meal)
                            and MEAL_STARTS[meal][0] + MEAL_MINUTES[meal] + BEFORE[mode] <= departs
                        )
                        or (b == city and serves(place, date, meal, arrives + AFTER[mode]))
                    )
                ]
                if fitting and set(self.trip.cuisine) & set(place.cuisines.split(", ")):
                    eat = self.model.new_bool_var("")
                    self.model.add(eat <= sum(fitting))
                    slots.setdefault((day, meal), []).append(eat)
                    eaten.append(eat)
        return eaten

"""A solution as a plan in TravelPlanner's format, with attractions and, where they are wanted, times. Trusted code only."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from agentgym.envs.travel.clock import hm, span
from agentgym.envs.travel.rules import CARS, DAY, MEALS, road_cost
from agentgym.envs.travel.schedule import Item, Ride, Slot, timetable
from agentgym.envs.travel.solver import Leg, Solution
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import NOTHING, Attraction, Restaurant, World


@dataclass(slots=True)
class _Renderer:
    world: World
    trip: Trip
    shut: Set[str]
    used: set[str] = field(default_factory=set)

    def day(
        self, number: int, date: str, leg: Leg | None, here: str, hotel: str, meals: dict[str, Restaurant]
    ) -> dict[str, Any]:
        items = [Item(meal, meals[meal]) for meal in MEALS if meal in meals]
        ride = self._ride(leg) if leg else None
        items, slots, departs = self._with_attraction(
            date, items, ride, [leg.origin, here] if leg else [here], leg is None
        )
        made: dict[str, Any] = {"days": number, "current_city": f"from {leg.origin} to {here}" if leg else here}
        made["transportation"] = self._transportation(leg, departs) if leg else "-"
        for meal in MEALS:
            made[meal] = f"{meals[meal].name}, {meals[meal].city}" if meal in meals else "-"
        seen = [item.place for item in items if isinstance(item.place, Attraction)]
        made["attraction"] = "".join(f"{place.name}, {place.city};" for place in seen) or "-"
        made["accommodation"] = hotel
        if self.trip.timed and slots:
            made["activities"] = [_activity(slot) for slot in slots]
        return made

    def _with_attraction(
        self, date: str, items: list[Item], ride: Ride | None, cities: list[str], needed: bool
    ) -> tuple[list[Item], list[Slot], int | None]:
        """The items with one attraction more, if there is time: the one that must be seen, or any."""
        rows = [row for city in cities for row in self.world.attractions(city, self.shut) if row.key not in self.used]
        rows.sort(key=lambda row: f"{row.name}, {row.city}" != self.trip.must_see)
        if not needed:
            rows = [row for row in rows if f"{row.name}, {row.city}" != self.trip.must_see]
        for row in rows:
            tried = [*items, Item("attraction", row)]
            if found := timetable(date, tried, ride):
                self.used.add(row.key)
                return tried, *found
        found = timetable(date, items, ride)
        assert found is not None and not needed, f"no time for {[item.place.name for item in items]} on {date}"
        return items, *found

    def _ride(self, leg: Leg) -> Ride:
        trip = self.trip
        if leg.mode not in CARS:
            return Ride(leg.mode, leg.origin, leg.destination, 0, leg.departs, leg.arrives)
        road = self.world.road(leg.origin, leg.destination)
        assert road is not None
        first = trip.depart_after if leg.date == trip.start and trip.depart_after is not None else DAY[0]
        last = trip.back_by if leg.date == trip.dates[-1] and trip.back_by is not None else DAY[1]
        shift = self.world.shift(leg.origin, leg.destination)
        return Ride(leg.mode, leg.origin, leg.destination, road.minutes, None, None, first, last, shift)

    def _transportation(self, leg: Leg, departs: int | None) -> str:
        route = f"from {leg.origin} to {leg.destination}"
        if leg.mode in CARS:
            road = self.world.road(leg.origin, leg.destination)
            assert road is not None and departs is not None
            cost = road_cost(leg.mode, road.km, self.trip.people)
            says = f"Duration: {span(road.minutes)}, Distance: {road.km} km, Cost: {cost}"
            return f"{leg.mode.capitalize()}, {route}, Departure Time: {hm(departs)}, {says}"
        times = f"Departure Time: {hm(leg.departs)}, Arrival Time: {hm(leg.arrives)}"
        return f"{leg.mode.capitalize()} Number: {leg.number}, {route}, {times}"


def render(solution: Solution, world: World, trip: Trip, shut: Set[str] = NOTHING) -> list[dict[str, Any]]:
    """The plan that costs what the solution says."""
    renderer = _Renderer(world, trip, shut)
    legs = {leg.date: leg for leg in solution.legs}
    hotels = {
        night: f"{hotel.name}, {hotel.city}"
        for stay in solution.stays
        for night, hotel in zip(stay.nights, stay.hotels, strict=True)
    }
    where = {night: stay.city for stay in solution.stays for night in stay.nights}
    meals: dict[str, dict[str, Restaurant]] = {}
    for stay in solution.stays:
        for (date, meal), place in stay.meals.eaten:
            meals.setdefault(date, {})[meal] = place
    return [
        renderer.day(n, date, legs.get(date), where.get(date, trip.home), hotels.get(date, "-"), meals.get(date, {}))
        for n, date in enumerate(trip.dates, 1)
    ]


def _activity(slot: Slot) -> dict[str, str]:
    item, start, end = slot
    return {"type": item.type, "name": f"{item.place.name}, {item.place.city}", "start": hm(start), "end": hm(end)}

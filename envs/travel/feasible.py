"""Trajectory level: can this trip happen in space and time? Dates, seats, rooms, stated times, a timetable for each day.

After DeepTravel's (arXiv 2509.21842) spatio-temporal checks, whose items are not published: these are ours.  "" is a pass.
"""

from __future__ import annotations

from collections.abc import Callable

from agentgym.envs.travel.clock import hm, minutes_of
from agentgym.envs.travel.itinerary import Day, Itinerary
from agentgym.envs.travel.places import fold
from agentgym.envs.travel.plan import Named
from agentgym.envs.travel.rules import DAY, VISITS_A_DAY, rooms_for
from agentgym.envs.travel.schedule import Item, Slot, timetable, wrong_times


def dates(plan: Itinerary) -> str:
    """A journey is on the date of its day."""
    for day in plan.days:
        if day.journey is not None and day.journey.date != day.date:
            return f"day {day.plan.number} is {day.date}, {day.journey.number} goes on {day.journey.date}"
    return ""


def stated_times(plan: Itinerary) -> str:
    """Departure and arrival, where the plan says them, are those of the journey."""
    for day in plan.days:
        told = dict(day.plan.ride.says) if day.plan.ride else {}
        ride = plan.ride(day, limited=False)
        for name, real in (
            ("departure time", ride.departs if ride else None),
            ("arrival time", ride.arrives if ride else None),
        ):
            if name in told and minutes_of(told[name]) != real:
                wanted = hm(real) if real is not None and real < 1440 else "another time"
                return f"day {day.plan.number}: the {name} is {wanted}, not {told[name]}"
    return ""


def seats(plan: Itinerary) -> str:
    for day in plan.days:
        if day.journey is not None and day.journey.seats < plan.trip.people:
            return f"{day.journey.number} has {day.journey.seats} seats left"
    return ""


def rooms(plan: Itinerary) -> str:
    for hotel, nights in plan.stays():
        if "" in nights or plan.world.free_rooms(hotel, nights) < rooms_for(plan.trip.people, hotel.occupancy):
            return f"{hotel.name} has no room for {plan.trip.people} people on every night from {nights[0]}"
    return ""


def timetables(plan: Itinerary) -> str:
    """There are times for everything in every day, and those that are given are among them."""
    for day in plan.days:
        if said := _timetable(plan, day):
            return f"day {day.plan.number}: {said}"
    return ""


def _timetable(plan: Itinerary, day: Day) -> str:
    if len(day.plan.attractions) > VISITS_A_DAY:
        return f"more than {VISITS_A_DAY} attractions"
    ride = plan.ride(day)
    if ride is not None and not (DAY[0] <= (ride.departs or DAY[0]) and (ride.arrives or DAY[1]) <= DAY[1]):
        return "the journey does not fit into the day"
    if timetable(day.date, day.items(), ride) is None:
        return "there is not enough time for everything, or something is closed"
    if day.plan.activities is None:
        return ""
    slots = _slots(day)
    if isinstance(slots, str):
        return slots
    if day.road is not None and (ride is None or ride.departs is None):
        return "with activities, a drive says its departure time"
    return wrong_times(day.date, slots, ride)


def _slots(day: Day) -> list[Slot] | str:
    """The given times, item by item: each meal and each attraction of the day once."""
    waiting = day.items()
    slots: list[Slot] = []
    for activity in day.plan.activities or []:
        match = next((item for item in waiting if item.type == activity.type and _same(item, activity.name)), None)
        if match is None:
            return f"the activity {activity.type} at {activity.name.name} is not one of the day's"
        waiting.remove(match)
        slots.append((match, activity.start, activity.end))
    return f"no time is given for {waiting[0].place.name}" if waiting else slots


def _same(item: Item, named: Named) -> bool:
    return fold(item.place.name) == fold(named.name) and fold(item.place.city) == fold(named.city)


CHECKS: dict[str, Callable[[Itinerary], str]] = {
    "dates": dates,
    "stated_times": stated_times,
    "seats": seats,
    "rooms": rooms,
    "timetables": timetables,
}

"""Hard constraints: TravelPlanner's five, and ours about time and places. "" is a pass; what a trip lacks is not asked."""

from __future__ import annotations

from collections.abc import Callable

from agentgym.envs.travel.clock import hm
from agentgym.envs.travel.itinerary import Itinerary
from agentgym.envs.travel.places import fold
from agentgym.envs.travel.rules import ROOM_TYPES
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import Hotel


def budget(plan: Itinerary) -> str:
    cost = plan.cost()
    return "" if cost <= plan.trip.budget else f"it costs {cost}, the budget is {plan.trip.budget}"


def house_rule(plan: Itinerary) -> str:
    bad = next((hotel for hotel, _ in plan.stays() if not allows(hotel, plan.trip)), None)
    return f"{bad.name} does not allow {plan.trip.house_rule}" if bad else ""


def cuisine(plan: Itinerary) -> str:
    eaten: set[str] = set()
    for day in plan.days:
        for place in day.meals.values():
            if place is not None and place.city != plan.trip.home:
                eaten |= set(place.cuisines.split(", "))
    missing = [kind for kind in plan.trip.cuisine if kind not in eaten]
    return f"no {missing[0]} meal away from home" if missing else ""


def room_type(plan: Itinerary) -> str:
    bad = next((hotel for hotel, _ in plan.stays() if not suits(hotel, plan.trip)), None)
    return f"{bad.name} is of type {bad.room_type}" if bad else ""


def transportation(plan: Itinerary) -> str:
    banned = plan.trip.transportation.removeprefix("no ")
    return f"a {banned} is used" if any(day.mode == banned for day in plan.days) else ""


def depart_after(plan: Itinerary) -> str:
    ride, wanted = plan.ride(plan.days[0]), plan.trip.depart_after
    if ride is None:
        return "there is no first journey"
    early = ride.departs is not None and wanted is not None and ride.departs < wanted
    return f"the first departure is at {hm(ride.departs or 0)}" if early else ""


def back_by(plan: Itinerary) -> str:
    ride, wanted = plan.ride(plan.days[-1]), plan.trip.back_by
    if ride is None:
        return "there is no last journey"
    late = ride.arrives is not None and wanted is not None and ride.arrives > wanted
    return "the return is too late" if late else ""


def must_see(plan: Itinerary) -> str:
    names = {fold(f"{place.name}, {place.city}") for day in plan.days for place in day.attractions if place}
    return "" if fold(plan.trip.must_see) in names else f"{plan.trip.must_see} is not visited"


def must_visit(plan: Itinerary) -> str:
    return (
        "" if any(day.here == plan.trip.must_visit for day in plan.days[:-1]) else f"{plan.trip.must_visit} is left out"
    )


def timed(plan: Itinerary) -> str:
    bare = [day.plan.number for day in plan.days if day.items() and day.plan.activities is None]
    bare += [day.plan.number for day in plan.days if day.road and day.plan.ride and day.plan.ride.departs is None]
    return f"day {bare[0]} does not say when things are" if bare else ""


def allows(hotel: Hotel, trip: Trip) -> bool:
    return not trip.house_rule or trip.house_rule not in hotel.forbids


def suits(hotel: Hotel, trip: Trip) -> bool:
    if not trip.room_type:
        return True
    if trip.room_type == "not shared room":
        return hotel.room_type != ROOM_TYPES["shared room"]
    return hotel.room_type == ROOM_TYPES[trip.room_type]


TRAVELPLANNER = ("budget", "house_rule", "cuisine", "room_type", "transportation")
_CHECKS: dict[str, Callable[[Itinerary], str]] = {
    "budget": budget,
    "house_rule": house_rule,
    "cuisine": cuisine,
    "room_type": room_type,
    "transportation": transportation,
    "depart_after": depart_after,
    "back_by": back_by,
    "must_see": must_see,
    "must_visit": must_visit,
    "timed": timed,
}


def checks(trip: Trip) -> dict[str, Callable[[Itinerary], str]]:
    """Those that this trip asks for; the budget always."""
    asked = {"budget", *(name for name in _CHECKS if name != "budget" and getattr(trip, name))}
    return {name: check for name, check in _CHECKS.items() if name in asked}

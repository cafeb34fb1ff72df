"""TravelPlanner's eight commonsense checks, right where its own are and closed where they leak. "" is a pass.

What was found in its evaluator and is refused here: names by substring, the last attraction unread, a destination
unchecked on three-day trips, days beyond the last, and crashes on pairs of cities without a road.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentgym.envs.travel.itinerary import Itinerary
from agentgym.envs.travel.plan import FIELDS
from agentgym.envs.travel.rules import MEALS


def within_sandbox(plan: Itinerary) -> str:
    for day in plan.days:
        number = day.plan.number
        if None in day.cities:
            return f"day {number}: there is no city {day.plan.cities[day.cities.index(None)]!r}"
        if (ride := day.plan.ride) and day.journey is None and day.road is None:
            return (
                f"day {number}: there is no {ride.mode} {ride.number} from {ride.origin} to {ride.destination}".replace(
                    "  ", " "
                )
            )
        for meal, place in day.meals.items():
            if place is None:
                return (
                    f"day {number}: there is no restaurant {day.plan.meals[meal].name!r} in {day.plan.meals[meal].city}"
                )
        for place_, named in zip(day.attractions, day.plan.attractions, strict=True):
            if place_ is None:
                return f"day {number}: there is no attraction {named.name!r} in {named.city}"
        if (hotel := day.plan.hotel) and day.hotel is None:
            return f"day {number}: there is no accommodation {hotel.name!r} in {hotel.city}"
    return ""


def complete_information(plan: Itinerary) -> str:
    days, trip = plan.days, plan.trip
    if len(days) != trip.days:
        return f"the plan has {len(days)} days, the trip {trip.days}"
    visited = {day.here for day in days[:-1]}
    if len(visited) != trip.visits:
        return f"{len(visited)} cities are visited, {trip.visits} are wanted"
    for day in days:
        number = day.plan.number
        if day.moving and day.plan.ride is None:
            return f"day {number}: no transportation"
        if not day.moving and not day.plan.attractions:
            return f"day {number}: no attraction"
        if not day.moving and len(day.plan.meals) < len(MEALS):
            return f"day {number}: a meal is missing"
        if day is not days[-1] and day.plan.hotel is None:
            return f"day {number}: no accommodation"
    filled = sum(day.plan.filled for day in days)
    wanted = len(FIELDS) * len(days) / 2
    return "" if filled >= wanted else f"only {filled} of {len(FIELDS) * len(days)} fields are filled"


def within_current_city(plan: Itinerary) -> str:
    for day in plan.days:
        number = day.plan.number
        if ride := day.plan.ride:
            ends = tuple(plan.world.city(city) for city in (ride.origin, ride.destination))
            if ends != day.cities:
                return f"day {number}: the journey is not the day's, from {day.plan.cities[0]} to {day.plan.cities[-1]}"
        named = [*day.plan.meals.values(), *day.plan.attractions]
        if far := [each for each in named if plan.world.city(each.city) not in day.cities]:
            return f"day {number}: {far[0].name} is in {far[0].city}"
        if (hotel := day.plan.hotel) and plan.world.city(hotel.city) != day.here:
            return f"day {number}: the accommodation is in {hotel.city}"
    return ""


def reasonable_route(plan: Itinerary) -> str:
    trip, days = plan.trip, plan.days
    if not days[0].moving or not days[-1].moving:
        return "the first and the last day have a journey"
    if days[0].cities[0] != trip.home or days[-1].here != trip.home:
        return f"the trip does not start and end in {trip.home}"
    at = trip.home
    seen: list[str] = []
    for day in days:
        if day.cities[0] != at:
            return f"day {day.plan.number} starts in {day.plan.cities[0]}, but the day before ended in {at}"
        if day.here is None or (day.moving and day.here == at):
            return f"day {day.plan.number}: a journey leads to another city"
        if day.moving and day is not days[-1]:
            if day.here in seen or day.here == trip.home:
                return f"{day.here} is visited twice"
            seen.append(day.here)
        at = day.here
    wanted = [trip.destination] if trip.visits == 1 else plan.world.regions.get(trip.destination, [])
    away = [city for city in seen if city not in wanted]
    return f"{away[0]} is not {'' if trip.visits == 1 else 'in '}{trip.destination}" if away else ""


def diverse_restaurants(plan: Itinerary) -> str:
    return _repeated([place.key for day in plan.days for place in day.meals.values() if place])


def diverse_attractions(plan: Itinerary) -> str:
    return _repeated([place.key for day in plan.days for place in day.attractions if place])


def transport_together(plan: Itinerary) -> str:
    """A car that was taken must come back: self-driving on every journey or on none."""
    modes = {day.mode for day in plan.days if day.mode}
    return (
        f"self-driving together with {', '.join(sorted(modes - {'self-driving'}))}"
        if "self-driving" in modes and len(modes) > 1
        else ""
    )


def minimum_nights(plan: Itinerary) -> str:
    for hotel, nights in plan.stays():
        if len(nights) < hotel.minimum_nights:
            return f"{hotel.name} takes guests for {hotel.minimum_nights} nights or more, not {len(nights)}"
    return ""


def _repeated(keys: Sequence[str]) -> str:
    twice = [key for at, key in enumerate(keys) if key in keys[:at]]
    return f"{twice[0]} comes twice" if twice else ""


CHECKS: dict[str, Callable[[Itinerary], str]] = {
    "within_sandbox": within_sandbox,
    "complete_information": complete_information,
    "within_current_city": within_current_city,
    "reasonable_route": reasonable_route,
    "diverse_restaurants": diverse_restaurants,
    "diverse_attractions": diverse_attractions,
    "transport_together": transport_together,
    "minimum_nights": minimum_nights,
}
"""By name; those that hard checks wait for come first."""

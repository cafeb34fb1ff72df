"""The cheapest plan of a trip, exactly, or the proof that there is none. Nothing of an agent comes here.

Why it is exact.  Full days have time for any three meals and an attraction, and every journey leaves time for an
attraction (`generate` makes both hold), so a plan costs its journeys, its hotels and its meals, and these meet only in:
cars (all journeys or none), cuisines, and the meals that a journey leaves time for.  For each order of cities and
lengths of stay: hotels are chosen alone; a stay's meals are a least-weight basis of a transversal matroid, for which
greedy is exact, with every choice of restaurants that cover cuisines tried; stays are joined by dynamic programming over
(journey, cuisines had).  Orders are taken by a lower bound, and those above the best are never looked at.
The tests ask enumeration on small worlds for the same, `certify` asks CP-SAT.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from math import inf

from agentgym.envs.travel.hard import allows, suits
from agentgym.envs.travel.meals import Meals, best_meals, fill
from agentgym.envs.travel.rules import AFTER, BEFORE, DAY, MEAL_MINUTES, MEAL_STARTS, MEALS, road_cost, rooms_for
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import NOTHING, Hotel, World


@dataclass(slots=True, frozen=True)
class Leg:
    """One way to travel on a day. `before`: the meals eaten at its origin, if any are; `after` the others that fit.

    departs, arrives: local minutes; of a drive, those that the plan then states. `cost` is the party's.
    """

    mode: str
    number: str
    origin: str
    destination: str
    date: str
    departs: int
    arrives: int
    cost: int
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Stay:
    """`hotels`: one a night, mostly the same."""

    city: str
    nights: tuple[str, ...]
    hotels: tuple[Hotel, ...]
    meals: Meals


@dataclass(slots=True)
class Solution:
    cost: int
    legs: list[Leg]
    stays: list[Stay]


@dataclass(slots=True)
class _Order:
    """Cities with their nights, travelled by car or not, and the least that this can cost."""

    bound: float
    cities: tuple[tuple[str, tuple[str, ...]], ...]
    legs: list[list[Leg]]
    hotels: list[tuple[Hotel, ...]]


_Way = tuple[int, tuple[Leg, ...], tuple[Meals, ...]]
"""Cost so far without hotels, journeys, meals of each stay."""


@dataclass(slots=True)
class Solver:
    """For one trip in one world, without what `shut` takes away."""

    world: World
    trip: Trip
    shut: Set[str] = NOTHING
    _meals: dict[object, dict[int, Meals]] = field(default_factory=dict)

    def best(self) -> Solution | None:
        """The cheapest plan whatever the budget; None if the other wishes can not be met at all."""
        best: Solution | None = None
        for order in sorted(self._orders(), key=lambda order: order.bound):
            if best is not None and order.bound >= best.cost:
                break
            found = self._solve(order)
            if found is not None and (best is None or found.cost < best.cost):
                best = found
        return best

    # ---- orders of cities ---------------------------------------------------------------------------------------

    def _orders(self) -> Iterator[_Order]:
        trip = self.trip
        there = [trip.destination] if trip.visits == 1 else self.world.regions[trip.destination]
        there = [city for city in there if city != trip.home]
        nights = trip.dates[:-1]
        for chosen in permutations(there, trip.visits):
            if trip.must_visit and trip.must_visit not in chosen:
                continue
            for cuts in combinations(range(1, len(nights)), trip.visits - 1):
                ends = (0, *cuts, len(nights))
                stays = tuple((city, nights[ends[i] : ends[i + 1]]) for i, city in enumerate(chosen))
                yield from self._both_ways(stays)

    def _both_ways(self, stays: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[_Order]:
        hotels = [self._hotels(city, nights) for city, nights in stays]
        meals = [self._least_meals(city, nights) for city, nights in stays]
        if () in hotels or inf in meals:
            return
        fixed = sum(meals) * self.trip.people + sum(self._rate(hotel) for each in hotels for hotel in each)
        at = [self.trip.home, *(city for city, _ in stays), self.trip.home]
        days = [*(nights[0] for _, nights in stays), self.trip.dates[-1]]
        for by_car in (False, True):
            legs = [self._legs(*hop, by_car) for hop in zip(at, at[1:], days, strict=False)]
            if all(legs):
                yield _Order(fixed + sum(min(leg.cost for leg in each) for each in legs), stays, legs, hotels)

    def _rate(self, hotel: Hotel) -> int:
        """What a night costs the party."""
        return hotel.price * rooms_for(self.trip.people, hotel.occupancy)

    def _hotels(self, city: str, nights: tuple[str, ...]) -> tuple[Hotel, ...]:
        """The cheapest hotels for a stay, one a night; () if there are none. One may move within a stay, say where the
        cheapest is full on a night: shortest way over the nights, an edge for each hotel and run of nights."""
        wished = [
            hotel
            for hotel in self.world.hotels(city, self.shut)
            if allows(hotel, self.trip) and suits(hotel, self.trip)
        ]
        best: list[tuple[int, tuple[Hotel, ...]] | None] = [(0, ())]
        for end in range(1, len(nights) + 1):
            ways = [
                (known[0] + self._rate(hotel) * (end - start), (*known[1], *[hotel] * (end - start)))
                for start in range(end)
                if (known := best[start]) is not None
                for hotel in wished
                if hotel.minimum_nights <= end - start
                and self.world.free_rooms(hotel, nights[start:end]) >= rooms_for(self.trip.people, hotel.occupancy)
            ]
            best.append(min(ways, key=lambda way: (way[0], [hotel.name for hotel in way[1]]), default=None))
        return best[-1][1] if best[-1] is not None else ()

    # ---- journeys -----------------------------------------------------------------------------------------------

    def _legs(self, origin: str, destination: str, date: str, by_car: bool) -> list[Leg]:
        banned = self.trip.transportation.removeprefix("no ")
        if by_car:
            drives = self._drives("self-driving", origin, destination, date)
            return [] if banned == "self-driving" else _cheapest(list(drives))
        legs = [] if banned == "taxi" else list(self._drives("taxi", origin, destination, date))
        for kind in ("flight", "train"):
            if kind != banned:
                for row in self.world.journeys(origin, destination, date, kind, self.shut):
                    if row.seats >= self.trip.people:
                        cost = row.price * self.trip.people
                        legs += self._fitted(
                            kind, row.number, (origin, destination, date), row.departs, row.arrives, cost
                        )
        return _cheapest(legs)

    def _drives(self, mode: str, origin: str, destination: str, date: str) -> Iterator[Leg]:
        """One for each number of meals before it leaves: leaving right after them is best."""
        road = self.world.road(origin, destination)
        if road is None:
            return
        cost = road_cost(mode, road.km, self.trip.people)
        takes = road.minutes + self.world.shift(origin, destination)
        for done in range(len(MEALS) + 1):
            last = MEALS[done - 1] if done else ""
            departs = MEAL_STARTS[last][0] + MEAL_MINUTES[last] + BEFORE[mode] if last else DAY[0]
            if date == self.trip.start and self.trip.depart_after is not None:
                departs = max(departs, self.trip.depart_after)
            for leg in self._fitted(mode, "", (origin, destination, date), departs, departs + takes, cost):
                if len(leg.before) == done or not self.trip.cuisine:
                    yield leg

    def _fitted(
        self, mode: str, number: str, route: tuple[str, str, str], departs: int, arrives: int, cost: int
    ) -> list[Leg]:
        """The journey, if it suits the day and the trip, once for each way to share out the meals around it."""
        trip, (origin, destination, date) = self.trip, route
        if not (DAY[0] <= departs and arrives <= DAY[1]):
            return []
        if date == trip.start and trip.depart_after is not None and departs < trip.depart_after:
            return []
        if date == trip.dates[-1] and trip.back_by is not None and arrives > trip.back_by:
            return []
        if not trip.cuisine:
            return [Leg(mode, number, origin, destination, date, departs, arrives, cost, (), ())]
        before = [meal for meal in MEALS if MEAL_STARTS[meal][0] + MEAL_MINUTES[meal] + BEFORE[mode] <= departs]
        after = [meal for meal in MEALS if MEAL_STARTS[meal][1] >= arrives + AFTER[mode]]
        either = [done for done, meal in enumerate(before) if meal in after]
        return [
            Leg(
                *(mode, number, origin, destination, date, departs, arrives, cost, tuple(before[:done])),
                tuple(meal for meal in after if meal not in before[:done]),
            )
            for done in [*either, len(before)]
        ]

    # ---- one order ----------------------------------------------------------------------------------------------

    def _least_meals(self, city: str, nights: tuple[str, ...]) -> float:
        found = fill(self.world.restaurants(city, self.shut), nights[1:])
        return inf if found is None else sum(place.price for place in found.values())

    def _solve(self, order: _Order) -> Solution | None:
        """Dynamic programming along the journeys: the state is (journey taken, by its place, and cuisines had)."""
        wanted = (1 << len(self.trip.cuisine)) - 1
        states: dict[tuple[int, int], _Way] = {(i, 0): (leg.cost, (leg,), ()) for i, leg in enumerate(order.legs[0])}
        for hop, (city, nights) in enumerate(order.cities):
            after: dict[tuple[int, int], _Way] = {}
            for ((into, had), (cost, way, eaten)), (out, leg) in product(
                states.items(), enumerate(order.legs[hop + 1])
            ):
                for mask, meals in self._stay(city, nights, order.legs[hop][into], leg).items():
                    key, total = (out, had | mask), cost + leg.cost + meals.price * self.trip.people
                    if key not in after or total < after[key][0]:
                        after[key] = (total, (*way, leg), (*eaten, meals))
            states = after
        ends = [way for (_, had), way in states.items() if had == wanted]
        if not ends:
            return None
        cost, way, eaten = min(ends, key=lambda end: end[0])
        stays = [
            Stay(city, nights, hotels, meals)
            for (city, nights), hotels, meals in zip(order.cities, order.hotels, eaten, strict=True)
        ]
        rooms = sum(self._rate(hotel) for stay in stays for hotel in stay.hotels)
        return Solution(cost + rooms, list(way), stays)

    def _stay(self, city: str, nights: tuple[str, ...], into: Leg, out: Leg) -> dict[int, Meals]:
        key = (city, nights, _meal_side(into, after=True), _meal_side(out, after=False))
        if key not in self._meals:
            free = [(into.date, meal, into.arrives + AFTER[into.mode]) for meal in into.after]
            free += [(out.date, meal, DAY[0]) for meal in out.before]
            restaurants = self.world.restaurants(city, self.shut)
            self._meals[key] = best_meals(restaurants, nights[1:], free, self.trip.cuisine)
        return self._meals[key]


def _meal_side(leg: Leg, after: bool) -> tuple[str | int, ...]:
    """What of a journey matters to the meals at one of its ends."""
    if not after:
        return leg.before
    return (*leg.after, leg.arrives + AFTER[leg.mode]) if leg.after else ()


def _cheapest(legs: list[Leg]) -> list[Leg]:
    """One of those that differ in nothing but the price."""
    kept: dict[object, Leg] = {}
    for leg in sorted(legs, key=lambda leg: (leg.cost, leg.number)):
        kept.setdefault((_meal_side(leg, after=True), _meal_side(leg, after=False)), leg)
    return list(kept.values())

"""Schedule: can the things of one day be done, at which times; and are given times right. One day at a time.

Earliest times first: for a fixed order, starting everything as early as it can be is best, so looking through the
orders (meals keep theirs) finds times if there are any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agentgym.envs.travel.clock import hm
from agentgym.envs.travel.rules import AFTER, BEFORE, DAY, MEAL_MINUTES, MEAL_STARTS, MEALS
from agentgym.envs.travel.world import Attraction, Restaurant, is_open, local_minutes


@dataclass(slots=True, frozen=True)
class Item:
    """Something to be done: a meal ("breakfast", ...) or an "attraction"."""

    type: str
    place: Restaurant | Attraction

    @property
    def minutes(self) -> int:
        return MEAL_MINUTES[self.type] if isinstance(self.place, Restaurant) else self.place.minutes

    def earliest(self, free: int) -> int:
        """The earliest start at or after `free`, whatever the day."""
        opens = max(free, self.place.opens, DAY[0])
        return max(opens, MEAL_STARTS[self.type][0]) if self.type in MEALS else opens

    def wrong(self, date: str, start: int, end: int) -> str:
        """What is wrong with these times; "" if nothing is."""
        if self.type in MEALS and not MEAL_STARTS[self.type][0] <= start <= MEAL_STARTS[self.type][1]:
            return f"{self.type} can not start at {hm(start)}"
        if end - start < self.minutes:
            return f"{self.place.name} takes {self.minutes} minutes"
        if not is_open(self.place, date, start, end) or start < DAY[0] or end > DAY[1]:
            return f"{self.place.name} is not open on {date} from {hm(start)} to {hm(end)}"
        return ""


@dataclass(slots=True, frozen=True)
class Ride:
    """The journey of a day. `departs` None: at any time that suits, within [not_before, not_after - minutes].

    not_before, not_after: bounds on departure and arrival, DAY's if nothing else is wanted.
    """

    mode: str
    origin: str
    destination: str
    minutes: int
    departs: int | None = None
    arrives: int | None = None
    not_before: int = DAY[0]
    not_after: int = DAY[1]
    shift: int = 0
    """Minutes to add to an arrival for the destination's clock."""


Slot = tuple[Item, int, int]


def timetable(date: str, items: Sequence[Item], ride: Ride | None = None) -> tuple[list[Slot], int | None] | None:
    """Times for all items and the ride's departure; None if there are none. Items before the ride are at its origin."""
    before = [item for item in items if ride is not None and item.place.city == ride.origin]
    after = [item for item in items if ride is None or item.place.city != ride.origin]
    latest = DAY[1] if ride is None else _latest_end(ride)
    first = _earliest(date, before, DAY[0], latest)
    if first is None:
        return None
    if ride is None:
        second = _earliest(date, after, DAY[0], DAY[1])
        return None if second is None else (second, None)
    departs = ride.departs
    if departs is None:
        done = first[-1][2] + BEFORE[ride.mode] if first else ride.not_before
        departs = max(done, ride.not_before)
    arrives = ride.arrives if ride.arrives is not None else departs + ride.minutes + ride.shift
    if arrives > ride.not_after or departs < ride.not_before:
        return None
    second = _earliest(date, after, arrives + AFTER[ride.mode], DAY[1])
    return None if second is None else (first + second, departs)


def wrong_times(date: str, slots: Sequence[Slot], ride: Ride | None = None) -> str:
    """What is wrong with given times; "" if nothing is. `ride` has its departure and arrival."""
    last: Slot | None = None
    gone = False
    for item, start, end in sorted(slots, key=lambda slot: slot[1]):
        if said := item.wrong(date, start, end):
            return said
        away = ride is not None and item.place.city != ride.origin
        if ride is not None and ride.departs is not None and ride.arrives is not None:
            if not away and end + BEFORE[ride.mode] > ride.departs:
                return f"{item.place.name} ends at {hm(end)}, too late for the departure at {hm(ride.departs)}"
            if away and start < ride.arrives + AFTER[ride.mode]:
                return f"{item.place.name} starts at {hm(start)}, too soon after the arrival at {hm(ride.arrives)}"
        if last is not None and away == gone:
            way = local_minutes(last[0].place, item.place)
            if start < last[2] + way:
                return f"from {last[0].place.name} to {item.place.name} it takes {way} minutes"
        last, gone = (item, start, end), away
    meals = [item.type for item, _, _ in sorted(slots, key=lambda slot: slot[1]) if item.type in MEALS]
    return "" if meals == sorted(meals, key=MEALS.index) else "the meals are out of order"


def _latest_end(ride: Ride) -> int:
    departs = ride.departs if ride.departs is not None else ride.not_after - ride.minutes - ride.shift
    return departs - BEFORE[ride.mode]


def _earliest(date: str, items: Sequence[Item], free: int, latest: int) -> list[Slot] | None:
    """The timetable of one city's items that is done first, between `free` and `latest`."""
    return min(
        _tables(date, list(items), free, latest, None), key=lambda table: table[-1][2] if table else 0, default=None
    )


def _tables(date: str, items: list[Item], free: int, latest: int, last: Item | None) -> Iterator[list[Slot]]:
    if not items:
        yield []
        return
    meals = [item for item in items if item.type in MEALS]
    next_meal = min(meals, key=lambda item: MEALS.index(item.type), default=None)
    for item in items:
        if item.type in MEALS and item is not next_meal:
            continue
        way = local_minutes(last.place, item.place) if last is not None else 0
        start = item.earliest(free + way)
        end = start + item.minutes
        if end <= latest and not item.wrong(date, start, end):
            for rest in _tables(date, [other for other in items if other is not item], end, latest, item):
                yield [(item, start, end), *rest]

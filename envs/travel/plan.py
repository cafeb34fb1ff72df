"""Plan: strict reading of what an agent submits, in TravelPlanner's format with our additions. Form only, no world.

A list of one object a day.  Ours beyond TravelPlanner's: trains, departure times of drives, and `activities`, the
timed items of a day: {"type": "lunch", "name": "Name, City", "start": "12:00", "end": "13:00"}.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from agentgym.envs.travel.clock import minutes_of
from agentgym.envs.travel.rules import MEALS

MAX_CHARS = 60_000
MAX_DAYS = 31
MAX_TEXT = 600
MAX_ACTIVITIES = 12
FIELDS = ("transportation", *MEALS, "attraction", "accommodation")
_KNOWN = {"days", "day", "current_city", "activities", *FIELDS}
_STATE = re.compile(r"\s*\([^()]*\)\s*\Z")
_NUMBERED = re.compile(r"(flight|train)(?: number)?: *([A-Za-z]?[0-9]{1,9})", re.I)
_SAYS = {"departure time", "arrival time", "duration", "distance", "cost", "price"}


class BadPlan(ValueError):
    """What was submitted is no plan; the message says where and why."""


@dataclass(slots=True, frozen=True)
class Named:
    """ "Name, City" as written."""

    name: str
    city: str


@dataclass(slots=True, frozen=True)
class Ride:
    """A journey as written. `number` is empty for drives; `says` are its further claims by lower-case name."""

    mode: str
    number: str
    origin: str
    destination: str
    says: tuple[tuple[str, str], ...] = ()

    @property
    def departs(self) -> int | None:
        return minutes_of(dict(self.says).get("departure time", ""))


@dataclass(slots=True, frozen=True)
class Activity:
    type: str
    name: Named
    start: int
    end: int


@dataclass(slots=True)
class Day:
    """`cities` are the one or two of `current_city`. `activities` None: no times were given."""

    number: int
    cities: tuple[str, ...]
    ride: Ride | None = None
    meals: dict[str, Named] = field(default_factory=dict)
    attractions: list[Named] = field(default_factory=list)
    hotel: Named | None = None
    activities: list[Activity] | None = None

    @property
    def filled(self) -> int:
        """How many of the six fields say something."""
        return bool(self.ride) + len(self.meals) + bool(self.attractions) + bool(self.hotel)


def read_plan(plan: str | list[Any]) -> list[Day]:
    """Parse a plan, text or JSON already. Raises BadPlan for whatever is not exactly one."""
    if isinstance(plan, str):
        plan = _parsed(plan)
    if not isinstance(plan, list) or not plan:
        raise BadPlan("a plan is a list with one object a day")
    while plan and plan[-1] == {}:  # TravelPlanner's files are padded with these
        plan = plan[:-1]
    if not 1 <= len(plan) <= MAX_DAYS:
        raise BadPlan(f"a plan has 1 to {MAX_DAYS} days, this one has {len(plan)}")
    return [_day(item, number) for number, item in enumerate(plan, 1)]


def _parsed(text: str) -> Any:
    if len(text) > MAX_CHARS:
        raise BadPlan(f"longer than {MAX_CHARS} characters")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise BadPlan("nested too deep") from None
    except BadPlan:
        raise
    except ValueError as error:
        raise BadPlan(f"not JSON: {error}") from None


def _day(item: Any, number: int) -> Day:
    if not isinstance(item, dict):
        raise BadPlan(f"day {number} is not an object")
    if unknown := sorted(set(map(str, item)) - _KNOWN):
        raise BadPlan(f"day {number} has unknown fields: {', '.join(unknown)[:200]}")
    said = item.get("days", item.get("day"))
    if type(said) is not int or said != number:
        raise BadPlan(f"item {number} must have days: {number}")
    day = Day(number, _cities(_text(item, "current_city", number), number))
    ride = _text(item, "transportation", number)
    day.ride = _ride(ride, number) if ride else None
    for meal in MEALS:
        if written := _text(item, meal, number):
            day.meals[meal] = _named(written, number)
    attractions = _text(item, "attraction", number)
    day.attractions = [_named(part, number) for part in attractions.split(";") if part.strip()]
    hotel = _text(item, "accommodation", number)
    day.hotel = _named(hotel, number) if hotel else None
    if item.get("activities") is not None:
        day.activities = _activities(item["activities"], number)
    return day


def _text(item: dict[str, Any], name: str, number: int) -> str:
    """The field's text; "" where it says that there is nothing."""
    value = item.get(name, "-")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadPlan(f"day {number}: {name} must be text of at most {MAX_TEXT} characters")
    value = value.strip()
    if not value.isprintable():
        raise BadPlan(f"day {number}: {name} has characters that can not be printed")
    return "" if value in ("-", "") else value


def _cities(text: str, number: int) -> tuple[str, ...]:
    if not text:
        raise BadPlan(f"day {number}: current_city is missing")
    if not text.lower().startswith("from "):
        return (_city(text),)
    return _from_to(text, number)


def _from_to(text: str, number: int) -> tuple[str, str]:
    origin, to, destination = text[5:].partition(" to ")
    if not to or not origin.strip() or not destination.strip():
        raise BadPlan(f'day {number}: "from A to B" was expected, not {text[:80]!r}')
    return _city(origin), _city(destination)


def _city(text: str) -> str:
    """TravelPlanner writes "City(State)" on longer trips."""
    return _STATE.sub("", text).strip()


def _named(text: str, number: int) -> Named:
    name, comma, city = text.rpartition(",")
    if not comma or not name.strip() or not city.strip():
        raise BadPlan(f'day {number}: "Name, City" was expected, not {text[:80]!r}')
    return Named(name.strip(), _city(city))


def _ride(text: str, number: int) -> Ride:
    head, *parts = [part.strip() for part in text.split(", ")]
    found = _NUMBERED.fullmatch(head)
    mode = found[1].lower() if found else head.lower()
    if not found and mode not in ("self-driving", "taxi"):
        raise BadPlan(f"day {number}: transportation starts with Flight Number:, Train Number:, Self-driving or Taxi")
    if not parts or not parts[0].lower().startswith("from "):
        raise BadPlan(f'day {number}: transportation says "from A to B" after {head[:40]!r}')
    origin, destination = _from_to(parts[0], number)
    says = tuple(_claim(part, number) for part in parts[1:])
    if len({name for name, _ in says}) != len(says):
        raise BadPlan(f"day {number}: transportation says something twice")
    for name, value in says:
        if name.endswith("time") and minutes_of(value) is None:
            raise BadPlan(f"day {number}: {value[:40]!r} is no time of day like 08:30")
    return Ride(mode, found[2].upper() if found else "", origin, destination, says)


def _claim(part: str, number: int) -> tuple[str, str]:
    name, colon, value = part.partition(":")
    if not colon or name.strip().lower() not in _SAYS:
        raise BadPlan(f"day {number}: transportation has {part[:60]!r}; it may say {', '.join(sorted(_SAYS))}")
    return name.strip().lower(), value.strip()


def _activities(items: Any, number: int) -> list[Activity]:
    if not isinstance(items, list) or len(items) > MAX_ACTIVITIES:
        raise BadPlan(f"day {number}: activities are a list of at most {MAX_ACTIVITIES}")
    return [_activity(item, number) for item in items]


def _activity(item: Any, number: int) -> Activity:
    if not isinstance(item, dict) or set(item) != {"type", "name", "start", "end"}:
        raise BadPlan(f"day {number}: an activity has type, name, start and end, and nothing else")
    kind, name, start, end = (item[key] for key in ("type", "name", "start", "end"))
    if kind not in (*MEALS, "attraction"):
        raise BadPlan(f"day {number}: an activity's type is breakfast, lunch, dinner or attraction")
    if not isinstance(name, str) or len(name) > MAX_TEXT or not name.isprintable():
        raise BadPlan(f"day {number}: an activity's name is text")
    times = [minutes_of(time) if isinstance(time, str) else None for time in (start, end)]
    if times[0] is None or times[1] is None or times[0] >= times[1]:
        raise BadPlan(f"day {number}: an activity starts before it ends, at times like 08:30")
    return Activity(kind, _named(name, number), times[0], times[1])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise BadPlan("a field stands twice in one object")
    return data


def _constant(name: str) -> NoReturn:
    raise BadPlan(f"{name} is no number")

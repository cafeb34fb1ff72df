"""World: a sandbox of cities, journeys, hotels, restaurants and attractions in SQLite, read only, in memory.

Rows are drawn in `generate` from a seed.  An episode changes nothing here: what a strike or a fire takes away is a set
of keys, `shut`, that each query leaves out; so forks share the world.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from math import hypot
from threading import Lock
from typing import Any

from agentgym.envs.travel.clock import weekday
from agentgym.envs.travel.places import City, cities, fold, months

VERSION = "1"
NOTHING: frozenset[str] = frozenset()
SCHEMA = """
CREATE TABLE cities (name TEXT PRIMARY KEY, region TEXT, place INTEGER) WITHOUT ROWID;
CREATE TABLE days (date TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE journeys (number TEXT PRIMARY KEY, kind TEXT, origin TEXT, destination TEXT, date TEXT, departs INTEGER,
  arrives INTEGER, minutes INTEGER, price INTEGER, seats INTEGER, km INTEGER, carrier TEXT) WITHOUT ROWID;
CREATE INDEX journeys_by_route ON journeys (origin, destination, date, kind, departs);
CREATE TABLE roads (origin TEXT, destination TEXT, km INTEGER, minutes INTEGER, PRIMARY KEY (origin, destination)) WITHOUT ROWID;
CREATE TABLE hotels (city TEXT, name TEXT, room_type TEXT, price INTEGER, minimum_nights INTEGER, rating REAL,
  house_rules TEXT, occupancy INTEGER, x REAL, y REAL, PRIMARY KEY (city, name)) WITHOUT ROWID;
CREATE TABLE rooms (city TEXT, name TEXT, date TEXT, free INTEGER, PRIMARY KEY (city, name, date)) WITHOUT ROWID;
CREATE TABLE restaurants (city TEXT, name TEXT, cuisines TEXT, price INTEGER, rating REAL, opens INTEGER, closes INTEGER,
  closed_on INTEGER, x REAL, y REAL, PRIMARY KEY (city, name)) WITHOUT ROWID;
CREATE TABLE attractions (city TEXT, name TEXT, opens INTEGER, closes INTEGER, closed_on INTEGER, minutes INTEGER,
  x REAL, y REAL, phone TEXT, website TEXT, PRIMARY KEY (city, name)) WITHOUT ROWID;
"""
TABLES = ("cities", "days", "journeys", "roads", "hotels", "rooms", "restaurants", "attractions")


@dataclass(slots=True, frozen=True)
class Journey:
    """A flight or a train on one date; times are local at each end, minutes after midnight; price is a person's."""

    number: str
    kind: str
    origin: str
    destination: str
    date: str
    departs: int
    arrives: int
    minutes: int
    price: int
    seats: int
    km: int
    carrier: str

    @property
    def key(self) -> str:
        return self.number


@dataclass(slots=True, frozen=True)
class Road:
    origin: str
    destination: str
    km: int
    minutes: int

    @property
    def key(self) -> str:
        return f"road {self.origin} > {self.destination}"


@dataclass(slots=True, frozen=True)
class Hotel:
    """`house_rules` are those words of `rules.RULES` that are not allowed; `price` is a room's and night's."""

    city: str
    name: str
    room_type: str
    price: int
    minimum_nights: int
    rating: float
    house_rules: str
    occupancy: int
    x: float
    y: float

    @property
    def key(self) -> str:
        return f"hotel {self.name}, {self.city}"

    @property
    def forbids(self) -> tuple[str, ...]:
        return tuple(rule.removeprefix("No ") for rule in self.house_rules.split(" & ") if rule)


@dataclass(slots=True, frozen=True)
class Restaurant:
    """`closed_on` is a weekday, 0 for Monday, -1 for none; `price` is a person's."""

    city: str
    name: str
    cuisines: str
    price: int
    rating: float
    opens: int
    closes: int
    closed_on: int
    x: float
    y: float

    @property
    def key(self) -> str:
        return f"restaurant {self.name}, {self.city}"


@dataclass(slots=True, frozen=True)
class Attraction:
    city: str
    name: str
    opens: int
    closes: int
    closed_on: int
    minutes: int
    x: float
    y: float
    phone: str
    website: str

    @property
    def key(self) -> str:
        return f"attraction {self.name}, {self.city}"


Place = Hotel | Restaurant | Attraction


class World:
    """Made by `generate.build`. Queries give rows in a fixed order and are remembered: a world never changes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._lock = Lock()
        self._known: dict[Any, Any] = {}
        known = cities()
        self.cities: dict[str, City] = {
            name: known[at] for name, at in self.rows("SELECT name, place FROM cities ORDER BY name")
        }
        self.days: tuple[str, ...] = tuple(day for (day,) in self.rows("SELECT date FROM days ORDER BY date"))
        self._folded = {fold(name): name for name in self.cities}

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every row of every table."""
        digest = hashlib.sha256(VERSION.encode())
        for table in TABLES:
            for row in self.rows(f"SELECT * FROM {table} ORDER BY {'1' if table == 'days' else '1, 2, 3'}"):
                digest.update(repr(row).encode())
        return digest.hexdigest()

    def city(self, name: str) -> str | None:
        """The city's own spelling of `name`, whatever its case and accents; None if it is not in this world."""
        return self._folded.get(fold(name))

    def shift(self, origin: str, destination: str) -> int:
        """Minutes by which clocks at `destination` are ahead of those at `origin`."""
        month = months()[1].index(int(self.days[0][5:7]))
        return self.cities[destination].offsets[month] - self.cities[origin].offsets[month]

    @cached_property
    def regions(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, city in self.cities.items():
            found.setdefault(city.region, []).append(name)
        return found

    def journeys(self, origin: str, destination: str, date: str, kind: str, shut: Set[str] = NOTHING) -> list[Journey]:
        """By departure. Those that are sold out are among them."""
        where = "origin = ? AND destination = ? AND date = ? AND kind = ? ORDER BY departs, number"
        found: list[Journey] = self._all(
            Journey, f"SELECT * FROM journeys WHERE {where}", origin, destination, date, kind
        )
        return [row for row in found if row.number not in shut] if shut else found

    def journey(self, number: str) -> Journey | None:
        found: Journey | None = self._one(Journey, "SELECT * FROM journeys WHERE number = ?", number)
        return found

    def road(self, origin: str, destination: str) -> Road | None:
        found: Road | None = self._one(
            Road, "SELECT * FROM roads WHERE origin = ? AND destination = ?", origin, destination
        )
        return found

    def hotels(self, city: str, shut: Set[str] = NOTHING) -> list[Hotel]:
        return self._of(Hotel, "hotels", city, shut)

    def restaurants(self, city: str, shut: Set[str] = NOTHING) -> list[Restaurant]:
        return self._of(Restaurant, "restaurants", city, shut)

    def attractions(self, city: str, shut: Set[str] = NOTHING) -> list[Attraction]:
        return self._of(Attraction, "attractions", city, shut)

    def free_rooms(self, hotel: Hotel, nights: tuple[str, ...]) -> int:
        """How many rooms are free on every one of `nights`; 0 for a night outside the world."""
        key = ("rooms", hotel.city, hotel.name)
        if key not in self._known:
            rows = self.rows("SELECT date, free FROM rooms WHERE city = ? AND name = ?", hotel.city, hotel.name)
            self._known[key] = dict(rows)
        return min((self._known[key].get(night, 0) for night in nights), default=0)

    def find(self, kind: str, name: str, city: str) -> Place | None:
        """The hotel, restaurant or attraction of exactly this name (but for case and accents)."""
        key = ("names", kind, city)
        if key not in self._known:
            rows: list[Place] = list(getattr(self, f"{kind}s")(city))
            self._known[key] = {fold(row.name): row for row in rows}
        found: Place | None = self._known[key].get(fold(name))
        return found

    def _of(self, cls: type[Any], table: str, city: str, shut: Set[str]) -> list[Any]:
        rows = self._all(cls, f"SELECT * FROM {table} WHERE city = ? ORDER BY name", city)
        return [row for row in rows if row.key not in shut] if shut else rows

    def _all(self, cls: type[Any], sql: str, *values: Any) -> list[Any]:
        key = (cls, values)
        if key not in self._known:
            self._known[key] = [cls(*row) for row in self.rows(sql, *values)]
        found: list[Any] = self._known[key]
        return found

    def _one(self, cls: type[Any], sql: str, *values: Any) -> Any:
        return next(iter(self._all(cls, sql, *values)), None)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """The rows of any query; from any thread, as tasks are drawn and verdicts given beside the event loop."""
        with self._lock:
            return self.db.execute(sql, values).fetchall()


def local_minutes(a: Place, b: Place) -> int:
    """How long it takes between two places of one city; at most 29 minutes anywhere."""
    return 5 + round(hypot(a.x - b.x, a.y - b.y) * 3)


def is_open(place: Restaurant | Attraction, date: str, start: int, end: int) -> bool:
    return place.closed_on != weekday(date) and place.opens <= start and end <= place.closes

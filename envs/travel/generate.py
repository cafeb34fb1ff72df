"""Draw a world from a seed: real cities, everything in them invented. Every row's draw depends on its own key only.

What `solver` relies on is made to hold here: a full day has time for any three meals and an attraction, and every
journey leaves time for an attraction at one of its ends (`LATE`, `EARLY`).
"""

from __future__ import annotations

import sqlite3
from calendar import monthrange
from collections.abc import Callable, Iterator
from math import cos, pi, sin, sqrt
from random import Random
from typing import Any

from agentgym.envs.travel import words
from agentgym.envs.travel.places import City, cities, km_between, months
from agentgym.envs.travel.rules import CUISINES, DAY, MAX_ROAD_MINUTES, RULES
from agentgym.envs.travel.world import SCHEMA, VERSION, World
from agentgym.seeds import derive_seed

DAYS = 14
REGIONS, CITIES_A_REGION = 5, 4
CONTINENTS = ("NA", "NA", "EU", "AS")
LATE, EARLY = 840, 930
"""Journeys depart at 14:00 or later, or arrive by 15:30."""
_CARRIERS = ("Larkwing", "Northline", "Skybridge", "Aeronova", "Bluejay", "Meridian")
_RAILWAYS = ("Swiftrail", "Overland", "Ironway")
_KITCHENS = ("Cafe", "Bakery", "Seafood", "BBQ", "Pizza", "Tea", "Desserts", "Fast Food")
_HOURS = ((390, 660), (390, 930), (420, 1260), (660, 930), (660, 1380), (690, 1290), (1020, 1380), (1050, 1320))
"""Opening hours of restaurants: each allows every meal that it overlaps at all."""
_ROOMS = (("Entire home/apt", 0.4, 1.5), ("Private room", 0.4, 1.0), ("Shared room", 0.2, 0.55))


def build(seed: int) -> World:
    """The world of `seed`: about 20 cities of one continent, 14 days. Takes about half a second."""
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(SCHEMA)
    rng = Random(derive_seed("world", VERSION, seed))
    chosen = _cities(rng)
    month, days = _days(rng)
    known = {city.name: at for at, city in enumerate(cities())}
    insert = _inserter(db)
    insert("cities", ((city.name, city.region, known[city.name]) for city in chosen))
    insert("days", ((day,) for day in days))
    for place, make in (("hotels", _hotels), ("restaurants", _restaurants), ("attractions", _attractions)):
        insert(
            place, (row for city in chosen for row in make(city, Random(derive_seed(place, VERSION, seed, city.name))))
        )
    insert("rooms", _rooms(db, seed, days))
    insert("roads", _roads(chosen))
    insert("journeys", _journeys(chosen, days, month, seed))
    db.execute("PRAGMA query_only = ON")
    return World(db)


def _inserter(db: sqlite3.Connection) -> Callable[[str, Iterator[tuple[Any, ...]]], None]:
    def insert(table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        made = list(rows)
        with db:
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(made[0]))})", made)

    return insert


def _cities(rng: Random) -> list[City]:
    """Four cities of each of five regions, of one continent."""
    continent = rng.choice(CONTINENTS)
    regions: dict[str, list[City]] = {}
    for city in cities():
        if city.continent == continent:
            regions.setdefault(city.region, []).append(city)
    large = sorted(region for region, members in regions.items() if len(members) >= CITIES_A_REGION)
    chosen = sorted(rng.sample(large, REGIONS))
    return [city for region in chosen for city in rng.sample(regions[region], CITIES_A_REGION)]


def _days(rng: Random) -> tuple[int, list[str]]:
    """The month's place among `months()`, and the dates."""
    year, there = months()
    place = rng.randrange(len(there))
    first = rng.randint(1, monthrange(year, there[place])[1] - DAYS + 1)
    return place, [f"{year}-{there[place]:02d}-{first + day:02d}" for day in range(DAYS)]


# ---- in a city ------------------------------------------------------------------------------------------------------


def _spot(rng: Random) -> tuple[float, float]:
    """Somewhere within 4 km of the centre."""
    angle, far = 2 * pi * rng.random(), 4 * sqrt(rng.random())
    return round(far * cos(angle), 2), round(far * sin(angle), 2)


def _names(rng: Random, make: Callable[[Random], str], count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[make(rng)] = None
    return list(names)


def _hotels(city: City, rng: Random) -> Iterator[tuple[Any, ...]]:
    level = rng.uniform(0.7, 1.4)
    for name in _names(rng, words.hotel, rng.randint(10, 14)):
        room, _, factor = rng.choices(_ROOMS, [share for _, share, _ in _ROOMS])[0]
        rating = round(rng.uniform(2.5, 5.0), 1)
        price = round(level * factor * rng.uniform(45, 190) * (0.6 + rating / 8))
        nights = rng.choices((1, 2, 3), (0.7, 0.2, 0.1))[0]
        rules = " & ".join(f"No {rule}" for rule in RULES if rng.random() < 0.22)
        occupancy = rng.randint(1, 2) if room == "Shared room" else rng.randint(1, 6)
        yield (city.name, name, room, price, nights, rating, rules, occupancy, *_spot(rng))


def _rooms(db: sqlite3.Connection, seed: int, days: list[str]) -> Iterator[tuple[Any, ...]]:
    for city, name in db.execute("SELECT city, name FROM hotels ORDER BY city, name"):
        rng = Random(derive_seed("rooms", VERSION, seed, city, name))
        yield from ((city, name, day, 0 if rng.random() < 0.06 else rng.randint(1, 8)) for day in days)


def _restaurants(city: City, rng: Random) -> Iterator[tuple[Any, ...]]:
    level = rng.uniform(0.8, 1.3)
    for number, name in enumerate(_names(rng, words.restaurant, rng.randint(24, 32))):
        kinds = rng.sample(CUISINES, rng.choices((0, 1, 2), (0.3, 0.5, 0.2))[0])
        kinds += rng.sample(_KITCHENS, rng.randint(0 if kinds else 1, 2))
        rating = round(rng.uniform(2.0, 5.0), 1)
        hours = _HOURS[number % len(_HOURS)]  # all hours in every city, so that each meal can be had
        closed = rng.randrange(7) if rng.random() < 0.4 else -1
        price = round(level * rng.uniform(8, 55) * (0.6 + rating / 8))
        yield (city.name, name, ", ".join(sorted(kinds)), price, rating, *hours, closed, *_spot(rng))


def _attractions(city: City, rng: Random) -> Iterator[tuple[Any, ...]]:
    for number, name in enumerate(_names(rng, words.attraction, rng.randint(9, 13))):
        opens, closes = rng.choice((480, 540, 600, 660)), rng.choice((1080, 1140, 1200, 1260))
        closed = -1 if number < 3 or rng.random() < 0.4 else rng.randrange(7)
        phone = f"555-{rng.randint(1000, 9999)}"
        site = f"https://{name.lower().replace(' ', '-')}.example"
        yield (city.name, name, opens, closes, closed, rng.choice((45, 60, 75, 90)), *_spot(rng), phone, site)


# ---- between cities -------------------------------------------------------------------------------------------------


def _roads(chosen: list[City]) -> Iterator[tuple[Any, ...]]:
    for a, b in _pairs(chosen):
        km = round(1.3 * km_between(a, b))
        minutes = round(km * 60 / 85) + 10
        if a.country == b.country and minutes <= MAX_ROAD_MINUTES:
            yield a.name, b.name, km, minutes


def _journeys(chosen: list[City], days: list[str], month: int, seed: int) -> Iterator[tuple[Any, ...]]:
    numbers: set[str] = set()
    for a, b in _pairs(chosen):
        rng = Random(derive_seed("journeys", VERSION, seed, a.name, b.name))
        km = round(km_between(a, b))
        shift = b.offsets[month] - a.offsets[month]
        if km >= 120:
            often = min(5, 1 + round((a.population * b.population) ** 0.5 / (400 * (km + 600))))
            yield from _lines(rng, ("flight", a, b, km, shift), often, days, numbers)
        if a.country == b.country and km <= 900:
            yield from _lines(rng, ("train", a, b, round(1.15 * km), shift), rng.randint(1, 3), days, numbers)


def _lines(
    rng: Random, route: tuple[str, City, City, int, int], often: int, days: list[str], numbers: set[str]
) -> Iterator[tuple[Any, ...]]:
    """Each line goes at one time of day, on most days."""
    kind, a, b, km, shift = route
    minutes = 35 + round(km / 13.3) if kind == "flight" else 15 + round(km * 60 / 140)
    base = 40 + 0.085 * km if kind == "flight" else 12 + 0.11 * km
    for _ in range(often):
        departs = _departure(rng, minutes + shift)
        if departs is None:
            continue
        carrier = rng.choice(_CARRIERS if kind == "flight" else _RAILWAYS)
        mood = rng.uniform(0.75, 1.5)
        for number, day in enumerate(days):
            price = round(base * mood * rng.uniform(0.85, 1.25) * (1.2 if number % 7 in (4, 6) else 1.0))
            seats = 0 if rng.random() < 0.07 else rng.randint(1, 9) if kind == "flight" else rng.randint(2, 40)
            if rng.random() < 0.12:
                continue
            while (name := f"{kind[0].upper()}{rng.randrange(10**7):07d}") in numbers:
                pass
            numbers.add(name)
            arrives = departs + minutes + shift
            yield name, kind, a.name, b.name, day, departs, arrives, minutes, price, seats, km, carrier


def _departure(rng: Random, local: int) -> int | None:
    """A time on the whole five minutes at which the journey fits the day and leaves time for a visit."""
    times = [
        time
        for time in range(DAY[0], DAY[1], 5)
        if 0 < time + local <= DAY[1] and (time >= LATE or time + local <= EARLY)
    ]
    return rng.choice(times) if times else None


def _pairs(chosen: list[City]) -> Iterator[tuple[City, City]]:
    return ((a, b) for a in chosen for b in chosen if a is not b)

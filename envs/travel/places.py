"""The real cities: names, regions, coordinates, clocks, airports. Read from `data/places.json`; see `data/NOTICE.md`."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "places.json"
_LETTERS = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i", "ß": "ss", "’": "'"})


@dataclass(slots=True, frozen=True)
class City:
    """`region` is a state in the US and a country elsewhere; `offsets` are minutes from UTC in each of `months()`."""

    name: str
    region: str
    country: str
    continent: str
    lat: float
    lon: float
    zone: str
    offsets: tuple[int, ...]
    population: int
    iata: str


@cache
def cities() -> tuple[City, ...]:
    rows: list[list[Any]] = _data()["cities"]
    made = []
    for name, region, country, continent, lat, lon, zone, offsets, people, iata in rows:
        made.append(City(name, region, country, continent, lat, lon, zone, tuple(offsets), people, iata))
    return tuple(made)


@cache
def months() -> tuple[int, tuple[int, ...]]:
    """The year, and the months in which no clock here is changed."""
    data = _data()
    return data["year"], tuple(data["months"])


def km_between(a: City, b: City) -> float:
    """Great-circle distance."""
    h = sin(radians(b.lat - a.lat) / 2) ** 2
    h += cos(radians(a.lat)) * cos(radians(b.lat)) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 12742 * asin(sqrt(h))


def fold(name: str) -> str:
    """A name without case, accents and doubled spaces: what two spellings of it share."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


@cache
def _data() -> dict[str, Any]:
    return json.loads(DATA.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

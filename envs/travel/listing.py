"""What searches show: rows as lines, in pages. The environment prints them; the oracle uses the same order to know pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentgym.envs.travel.clock import WEEKDAYS, hm, span
from agentgym.envs.travel.rules import road_cost
from agentgym.envs.travel.world import Attraction, Hotel, Journey, Restaurant, Road, World


@dataclass(slots=True, frozen=True)
class Page:
    """One page of a search: its text, and the keys of the rows that it shows."""

    text: str
    keys: tuple[str, ...]


def paged(title: str, rows: Sequence[tuple[str, str]], page: int, size: int) -> Page:
    """`rows` are (key, line)."""
    pages = max(1, -(-len(rows) // size))
    shown = rows[(page - 1) * size : page * size]
    head = f"{title}: {len(rows)} found, page {page} of {pages}"
    return Page("\n".join([head, *(line for _, line in shown)]), tuple(key for key, _ in shown))


def journey_line(row: Journey) -> str:
    left = f"{row.seats} seats left" if row.seats else "sold out"
    times = f"{hm(row.departs)}-{hm(row.arrives)} ({span(row.minutes)})"
    return f"{row.kind.capitalize()} Number: {row.number} | {row.carrier} | {times} | ${row.price} a person | {left}"


def hotel_line(row: Hotel, free: int) -> str:
    rules = row.house_rules or "no special rules"
    nights = f"minimum nights {row.minimum_nights}"
    sleeps = f"sleeps {row.occupancy} a room"
    return f"{row.name} | {row.room_type} | ${row.price} a night | {nights} | {sleeps} | {free} rooms free | rated {row.rating} | {rules}"


def restaurant_line(row: Restaurant) -> str:
    return f"{row.name} | {row.cuisines} | ${row.price} a person | rated {row.rating} | {_hours(row)}"


def attraction_line(row: Attraction) -> str:
    return f"{row.name} | {row.minutes} minutes | {_hours(row)} | {row.phone} | {row.website}"


def road_text(road: Road, people: int) -> str:
    """Driving facts and what `people` pay."""
    drive, taxi = (road_cost(mode, road.km, people) for mode in ("self-driving", "taxi"))
    return (
        f"{road.origin} to {road.destination}: {road.km} km, {span(road.minutes)} by road. "
        f"For {people}: self-driving ${drive}, taxi ${taxi}."
    )


def hotel_rows(world: World, city: str, nights: tuple[str, ...], shut: frozenset[str]) -> list[tuple[str, str]]:
    return [(row.key, hotel_line(row, world.free_rooms(row, nights))) for row in world.hotels(city, shut)]


def _hours(row: Restaurant | Attraction) -> str:
    closed = f", closed on {WEEKDAYS[row.closed_on]}" if row.closed_on >= 0 else ""
    return f"open {hm(row.opens)}-{hm(row.closes)}{closed}"

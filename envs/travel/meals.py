"""Which restaurants for one stay: least price, none twice, and for each set of cuisines the cheapest way to have it.

Slots of full days must be filled; slots beside a journey may be, where that is a cheaper way to a cuisine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from agentgym.envs.travel.rules import MEAL_MINUTES, MEAL_STARTS, MEALS
from agentgym.envs.travel.world import Restaurant, is_open

Slot = tuple[str, str]
"""(date, meal)"""
Free = tuple[str, str, int]
"""(date, meal, the earliest start)"""
Cover = list[tuple[Restaurant, Free | None]]
"""Restaurants with the free slot that each takes, None for one of a full day."""


@dataclass(slots=True, frozen=True)
class Meals:
    """`price` is a person's."""

    price: int
    eaten: tuple[tuple[Slot, Restaurant], ...]


def serves(place: Restaurant, date: str, meal: str, free: int = 0) -> bool:
    """Whether the meal can be had there, starting at `free` at the earliest."""
    first, last = MEAL_STARTS[meal]
    start = max(first, place.opens, free)
    return start <= last and is_open(place, date, start, start + MEAL_MINUTES[meal])


def fill(
    places: Sequence[Restaurant],
    days: Sequence[str],
    forced: Sequence[Restaurant] = (),
    barred: Sequence[Restaurant] = (),
) -> dict[Slot, Restaurant] | None:
    """The cheapest different restaurants for all meals of `days`, `forced` among them and `barred` not; None if none.

    A restaurant's price does not depend on the meal, so sets that can be seated are the independent sets of a matroid:
    taking them by price, each if all taken so far can still be seated, is optimal, also after some were forced.
    """
    slots = [(day, meal) for day in days for meal in MEALS]
    seated: dict[Slot, Restaurant] = {}
    for place in forced:
        if not _seat(place, slots, seated, set()):
            return None
    for place in sorted(places, key=lambda place: (place.price, place.name)):
        if len(seated) == len(slots):
            break
        if place not in forced and place not in barred:
            _seat(place, slots, seated, set())
    return seated if len(seated) == len(slots) else None


def best_meals(
    places: Sequence[Restaurant], days: Sequence[str], free: Sequence[Free], cuisines: Sequence[str]
) -> dict[int, Meals]:
    """For each set of `cuisines` (as bits) that can be had, the cheapest meals that have them (and maybe more)."""
    plain = fill(places, days)
    if plain is None:
        return {}
    found: dict[int, Meals] = {}
    _note(found, _meals(plain, {}), cuisines)
    dearest = max((place.price for place in plain.values()), default=0)
    covers = _covers(places, days, free, cuisines)
    least = sum(place.price for place in plain.values())
    for over, cover in sorted(((_over(cover, dearest), cover) for cover in covers), key=lambda each: each[0]):
        mask = _mask([place for place, _ in cover], cuisines)
        if any(known & mask == mask and meals.price <= least + over for known, meals in found.items()):
            continue  # those that are left can not be cheaper
        forced = [place for place, slot in cover if slot is None]
        extra = {(slot[0], slot[1]): place for place, slot in cover if slot is not None}
        seated = fill(places, days, forced, list(extra.values()))
        if seated is not None:
            _note(found, _meals(seated, extra), cuisines)
    return found


def _over(cover: Cover, dearest: int) -> int:
    """The least by which a choice costs more than the cheapest meals: what is forced displaces at most the dearest."""
    return sum(place.price if slot else max(0, place.price - dearest) for place, slot in cover)


def _mask(places: Sequence[Restaurant], cuisines: Sequence[str]) -> int:
    had = {kind for place in places for kind in place.cuisines.split(", ")}
    return sum(1 << at for at, kind in enumerate(cuisines) if kind in had)


def _covers(
    places: Sequence[Restaurant], days: Sequence[str], free: Sequence[Free], cuisines: Sequence[str]
) -> Iterator[Cover]:
    """Choices of a restaurant, on a full day (None) or in a free slot, for some of the cuisines: one of them is best.

    Of restaurants with the same cuisines that can be had in the same slots only the cheapest is tried: where it is
    eaten anyway the dearer one is not needed, and where it is not the two can be exchanged.
    """
    slots = [(day, meal) for day in days for meal in MEALS]
    kept: dict[object, tuple[int, Restaurant, Free | None]] = {}
    for place in sorted(places, key=lambda place: (place.price, place.name)):
        if mask := _mask([place], cuisines):
            if seats := tuple(slot for slot in slots if serves(place, *slot)):
                kept.setdefault((mask, seats), (mask, place, None))
            for slot in free:
                if serves(place, *slot):
                    kept.setdefault((mask, slot), (mask, place, slot))
    choices: list[list[tuple[Restaurant, Free | None] | None]] = [
        [None, *((place, slot) for mask, place, slot in kept.values() if mask >> at & 1)] for at in range(len(cuisines))
    ]
    for chosen in product(*choices):
        cover = [each for at, each in enumerate(chosen) if each is not None and each not in chosen[:at]]
        taken = [slot for _, slot in cover if slot is not None]
        if cover and len({place.name for place, _ in cover}) == len(cover) and len(set(taken)) == len(taken):
            yield cover


def _note(found: dict[int, Meals], meals: Meals, cuisines: Sequence[str]) -> None:
    mask = _mask([place for _, place in meals.eaten], cuisines)
    if mask not in found or meals.price < found[mask].price:
        found[mask] = meals


def _meals(seated: dict[Slot, Restaurant], extra: dict[Slot, Restaurant]) -> Meals:
    eaten = tuple(sorted({**seated, **extra}.items(), key=lambda each: (each[0][0], MEALS.index(each[0][1]))))
    return Meals(sum(place.price for _, place in eaten), eaten)


def _seat(place: Restaurant, slots: Sequence[Slot], seated: dict[Slot, Restaurant], tried: set[Slot]) -> bool:
    """Seat one more, moving others if need be (an augmenting path)."""
    for slot in slots:
        if slot not in tried and serves(place, *slot):
            tried.add(slot)
            if slot not in seated or _seat(seated[slot], slots, seated, tried):
                seated[slot] = place
                return True
    return False

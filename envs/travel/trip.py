"""Trip: what a traveller wants, as exact fields; the truth behind the words of a task. Wishes here, checks elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agentgym.envs.travel.clock import day_after

Level = Literal["easy", "medium", "hard"]
RELAXABLE = ("budget", "house_rule", "cuisine", "room_type", "transportation", "depart_after", "back_by")
"""What a traveller could give up, by the names that an agent uses for them."""


@dataclass(slots=True, frozen=True)
class Trip:
    """`destination` is a city for 3 days and a region for 5 or 7, of which `visits` cities are seen.

    budget: of the whole party. house_rule, room_type, transportation: TravelPlanner's words; "" for none.
    depart_after, back_by: local minutes of the first departure and the last arrival. must_see: "Name, City".
    timed: the plan must say when everything is. hotel_rating: a wish, not a must.
    """

    home: str
    destination: str
    days: int
    visits: int
    start: str
    people: int
    budget: int
    level: Level = "easy"
    house_rule: str = ""
    cuisine: tuple[str, ...] = ()
    room_type: str = ""
    transportation: str = ""
    depart_after: int | None = None
    back_by: int | None = None
    must_see: str = ""
    must_visit: str = ""
    timed: bool = False
    hotel_rating: float | None = None

    @property
    def dates(self) -> tuple[str, ...]:
        return tuple(day_after(self.start, day) for day in range(self.days))

    def without(self, wish: str) -> Trip:
        """The same trip with one of `RELAXABLE` given up."""
        if wish == "budget":
            return replace(self, budget=10**9)
        record = self.record()
        del record[wish]
        return Trip.of({"cuisine": (), **record})

    def wishes(self) -> list[str]:
        """Which of `RELAXABLE` this trip has."""
        return [wish for wish in RELAXABLE if wish == "budget" or getattr(self, wish) not in ("", (), None)]

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "cuisine": list(self.cuisine)}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Trip:
        return cls(**{**record, "cuisine": tuple(record["cuisine"])})

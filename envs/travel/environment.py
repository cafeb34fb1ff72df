"""PlannerEnvironment: an agent searches a world, asks its traveller, and submits plans, stage by stage.

The world is read only and shared; what is an episode's own is one small `Desk`, which a fork copies.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from agentgym.environment import Environment
from agentgym.envs.travel import listing
from agentgym.envs.travel.clock import WEEKDAYS, weekday
from agentgym.envs.travel.config import TravelConfig
from agentgym.envs.travel.listing import Page
from agentgym.envs.travel.places import fold
from agentgym.envs.travel.plan import BadPlan, read_plan
from agentgym.envs.travel.rules import HOUSE_RULES
from agentgym.envs.travel.tasks import world_of
from agentgym.envs.travel.traveller import answer
from agentgym.envs.travel.world import VERSION, Place, World, local_minutes
from agentgym.errors import TaskError, ToolError
from agentgym.tools import tool
from agentgym.types import Reply

Wish = Literal["budget", "house_rule", "cuisine", "room_type", "transportation", "depart_after", "back_by"]
MAX_NOTES = 20_000
_INTRO = """\
You plan trips. Look everything up with the tools: a plan may only say what they have shown. Then call submit_plan with the whole plan as JSON. \
If no plan can meet all that is wanted, call report_unsolvable with the one wish that would have to be given up and a plan for the trip without it. \
The traveller answers questions (ask_traveller) and may change the plan after you submit it. \
Timetables run from {first} to {last}.

{rules}

The traveller says: {message}"""


@dataclass(slots=True)
class Desk:
    """An episode's own state. `shown`: keys of what tools have shown, in order; a submission knows how many it had seen."""

    stage: int = 0
    shown: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    submissions: list[dict[str, Any]] = field(default_factory=list)

    def copy(self) -> Desk:
        return Desk(self.stage, dict(self.shown), list(self.notes), list(self.submissions))

    def record(self) -> dict[str, Any]:
        return {"stage": self.stage, "shown": list(self.shown), "notes": self.notes, "submissions": self.submissions}


class PlannerEnvironment(Environment[TravelConfig]):
    """One traveller's request, from the first question to the last plan."""

    world: World
    desk: Desk

    async def on_reset(self) -> str:
        self._open(Desk())
        days = self.world.days
        return _INTRO.format(first=days[0], last=days[-1], rules=HOUSE_RULES, message=self.task.payload["message"])

    async def on_text(self, text: str) -> str:
        return "The traveller hears nothing of this: call a tool. Ask with ask_traveller, end with submit_plan or report_unsolvable."

    # ---- searches ---------------------------------------------------------------------------------------------------

    @tool
    def search_flights(self, origin: str, destination: str, date: str, page: int = 1) -> Reply:
        """Flights between two cities on a date, by departure.

        Args:
            origin: A city.
            destination: A city.
            date: Like 2027-06-15.
            page: Which page of the results.
        """
        return self._journeys("flight", origin, destination, date, page)

    @tool
    def search_trains(self, origin: str, destination: str, date: str, page: int = 1) -> Reply:
        """Trains between two cities on a date, by departure.

        Args:
            origin: A city.
            destination: A city.
            date: Like 2027-06-15.
            page: Which page of the results.
        """
        return self._journeys("train", origin, destination, date, page)

    @tool
    def search_hotels(self, city: str, check_in: str, nights: int = 1, page: int = 1) -> Reply:
        """Hotels of a city, with the rooms that are free on every one of the nights.

        Args:
            city: A city.
            check_in: The first night, like 2027-06-15.
            nights: How many nights.
            page: Which page of the results.
        """
        city, first = self._city(city), self._date(check_in)
        at = self.world.days.index(first)
        if not 1 <= nights <= len(self.world.days) - at:
            raise ToolError(f"nights must be 1 to {len(self.world.days) - at} from {first}")
        rows = listing.hotel_rows(self.world, city, self.world.days[at : at + nights], self._closed_now)
        return self._show(listing.paged(f"Hotels in {city}", rows, self._page(page), self.config.page))

    @tool
    def search_restaurants(self, city: str, cuisine: str = "", page: int = 1) -> Reply:
        """Restaurants of a city by name.

        Args:
            city: A city.
            cuisine: Only those with this cuisine.
            page: Which page of the results.
        """
        city = self._city(city)
        found = self.world.restaurants(city, self._closed_now)
        if cuisine:
            found = [row for row in found if fold(cuisine) in map(fold, row.cuisines.split(", "))]
        rows = [(row.key, listing.restaurant_line(row)) for row in found]
        return self._show(listing.paged(f"Restaurants in {city}", rows, self._page(page), self.config.page))

    @tool
    def search_attractions(self, city: str, page: int = 1) -> Reply:
        """Attractions of a city by name.

        Args:
            city: A city.
            page: Which page of the results.
        """
        city = self._city(city)
        rows = [(row.key, listing.attraction_line(row)) for row in self.world.attractions(city, self._closed_now)]
        return self._show(listing.paged(f"Attractions in {city}", rows, self._page(page), self.config.page))

    @tool
    def search_cities(self, region: str) -> Reply:
        """The cities of a region.

        Args:
            region: A state or country.
        """
        known = {fold(name): name for name in self.world.regions}
        name = known.get(fold(region))
        if name is None:
            raise ToolError(f"no region {_short(region)!r} here; there are {', '.join(sorted(known.values()))}")
        return Reply(f"Cities in {name}: {', '.join(self.world.regions[name])}")

    @tool
    def route(self, origin: str, destination: str, people: int = 1) -> Reply:
        """How long it takes and what it costs by road between two cities, or how long between two places of one city.

        Args:
            origin: A city, or "Name, City".
            destination: A city, or "Name, City".
            people: How many travel.
        """
        if "," in origin or "," in destination:
            a, b = self._place(origin), self._place(destination)
            if a.city != b.city:
                raise ToolError(f"{a.name} is in {a.city}, {b.name} in {b.city}: ask for the route between the cities")
            return Reply(f"{a.name} to {b.name}: {local_minutes(a, b)} minutes")
        start, end = self._city(origin), self._city(destination)
        road = self.world.road(start, end)
        if road is None:
            return Reply(f"There is no drive from {start} to {end} within 8 hours.", effective=False)
        if not 1 <= people <= 100:
            raise ToolError("people must be 1 to 100")
        return self._show(Page(listing.road_text(road, people), (road.key,)))

    # ---- desk -------------------------------------------------------------------------------------------------------

    @tool
    def calendar(self, date: str = "") -> str:
        """The weekday of a date, or those of all dates that timetables cover.

        Args:
            date: Like 2027-06-15; empty for all.
        """
        days = [self._date(date)] if date else self.world.days
        return "\n".join(f"{day}: {WEEKDAYS[weekday(day)]}" for day in days)

    @tool
    def notebook(self, note: str = "") -> str:
        """Write a note, and read all notes.

        Args:
            note: What to write; empty to read only.
        """
        if note:
            if sum(map(len, self.desk.notes)) + len(note) > MAX_NOTES:
                raise ToolError(f"the notebook is full: it holds {MAX_NOTES} characters")
            self.desk.notes.append(note)
        return "\n".join(self.desk.notes) or "The notebook is empty."

    @tool
    def ask_traveller(self, question: str) -> Reply:
        """Ask the traveller about dates, people, budget, rooms, house rules, food, transport or times.

        Args:
            question: One or several things at once.
        """
        said, topics = answer(question, self.task.secret["answers"])
        self._note(f"told {topic}" for topic in topics)
        return Reply(said, effective=bool(topics))

    @tool
    def submit_plan(self, plan: str | list[Any]) -> str:
        """Submit the whole plan.

        Args:
            plan: The list of days, or the same as JSON text.
        """
        return self._submit("plan", plan, "")

    @tool
    def report_unsolvable(self, conflict: Wish, plan: str | list[Any]) -> str:
        """Report that no plan meets all wishes, and end.

        Args:
            conflict: The wish without which there is a plan.
            plan: The whole plan for the trip without that wish.
        """
        return self._submit("unsolvable", plan, conflict)

    # ---- state ------------------------------------------------------------------------------------------------------

    async def state(self) -> Any:
        return {"world": self.world.hash, **self.desk.record()}

    async def save(self) -> Desk:
        return self.desk.copy()

    async def load(self, native: Desk) -> None:
        self._open(native.copy())

    async def artefacts(self) -> dict[str, str]:
        """What was submitted, and what tools had shown: the environment's own record, which no agent writes."""
        shown, submissions = list(self.desk.shown), self.desk.submissions
        return {
            "submissions": json.dumps(submissions),
            "shown": json.dumps(shown),
            "world": f"{VERSION} {self.world.hash}",
        }

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _open(self, desk: Desk) -> None:
        try:
            self.world = world_of(self.task.payload["world"])
            self._stages: list[dict[str, Any]] = self.task.secret["stages"]
        except (KeyError, TypeError) as error:
            raise TaskError(f"{self.task.id} is no task of {self.spec.id}: {error!r} is missing or wrong") from None
        self.desk = desk
        self._set_stage(desk.stage)

    def _set_stage(self, stage: int) -> None:
        self.desk.stage = stage
        self._closed_now = frozenset(self._stages[min(stage, len(self._stages) - 1)]["shut"])

    def _submit(self, kind: str, plan: str | list[Any], conflict: str) -> str:
        text = plan if isinstance(plan, str) else json.dumps(plan)
        try:
            read_plan(text)
        except BadPlan as error:
            raise ToolError(f"this is no plan, and was not submitted: {error}") from None
        made = {"kind": kind, "plan": text, "conflict": conflict, "seen": len(self.desk.shown)}
        self.desk.submissions.append(made)
        if kind == "plan" and self.desk.stage + 1 < len(self._stages):
            self._set_stage(self.desk.stage + 1)
            return f"The traveller says: {self._stages[self.desk.stage]['message']}"
        self.end("submit")
        return "Thank you."

    def _journeys(self, kind: str, origin: str, destination: str, date: str, page: int) -> Reply:
        start, end, day = self._city(origin), self._city(destination), self._date(date)
        found = self.world.journeys(start, end, day, kind, self._closed_now)
        rows = [(row.key, listing.journey_line(row)) for row in found]
        title = f"{kind.capitalize()}s from {start} to {end} on {day}"
        return self._show(listing.paged(title, rows, self._page(page), self.config.page))

    def _show(self, page: Page) -> Reply:
        self._note(page.keys)
        return Reply(page.text, effective=bool(page.keys))

    def _note(self, keys: Any) -> None:
        self.desk.shown.update(dict.fromkeys(keys))

    def _city(self, name: str) -> str:
        if city := self.world.city(name):
            return city
        near = difflib.get_close_matches(fold(name[:80]), [fold(city) for city in self.world.cities], n=3)
        hint = f"; did you mean {' or '.join(self.world.city(each) or '' for each in near)}?" if near else ""
        raise ToolError(f"no city {_short(name)!r} here{hint}")

    def _date(self, date: str) -> str:
        if date not in self.world.days:
            raise ToolError(
                f"no timetable for {_short(date)!r}: dates are {self.world.days[0]} to {self.world.days[-1]}"
            )
        return date

    def _page(self, page: int) -> int:
        if not 1 <= page <= 1000:
            raise ToolError("pages are numbered from 1")
        return page

    def _place(self, text: str) -> Place:
        name, _, city = text.rpartition(",")
        if city_ := self.world.city(city):
            for kind in ("hotel", "restaurant", "attraction"):
                if (place := self.world.find(kind, name, city_)) and place.key not in self._closed_now:
                    return place
        raise ToolError(f'no place {_short(text)!r} here: it takes "Name, City"')


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "..."

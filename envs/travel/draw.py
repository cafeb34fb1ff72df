"""Draw trips and their stages: what is wanted, what changes on the way, and the proven optimum of each stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from random import Random
from typing import Any

from agentgym.envs.travel import language
from agentgym.envs.travel.config import TravelConfig
from agentgym.envs.travel.render import render
from agentgym.envs.travel.rules import CARS, CUISINES, ROOM_TYPES, RULES
from agentgym.envs.travel.solver import Solution, Solver
from agentgym.envs.travel.traveller import TOPICS
from agentgym.envs.travel.trip import Level, Trip
from agentgym.envs.travel.world import World, is_open

SLACK = {"easy": 0.5, "medium": 0.25, "hard": 0.1}
VISITS = {3: 1, 5: 2, 7: 3}
_WISHES = ("house_rule", "cuisine", "room_type", "transportation")
_TIMES = ("depart_after", "back_by")


@dataclass(slots=True)
class Stage:
    """One plan that is asked for. `optimum`: the least that it can cost; `plan` costs that.

    relaxations: only where there is no plan: what could be given up, and what the trip would then cost at least;
    `plan` is then the answer to the trip without `give_up`.  proven: without the budget the trip costs at least this;
    None: not even then can it be.
    """

    trip: Trip
    shut: tuple[str, ...]
    message: str
    optimum: int
    plan: list[dict[str, Any]]
    relaxations: dict[str, int]
    give_up: str = ""
    proven: int | None = None

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        fields = {
            name: getattr(self, name) for name in ("message", "optimum", "plan", "relaxations", "give_up", "proven")
        }
        return {**fields, "trip": self.trip.record(), "shut": list(self.shut)}


@dataclass(slots=True)
class Drawer:
    """Draws in one world, for one split. Each method gives None where the draw came to nothing: draw again."""

    world: World
    rng: Random
    split: str
    level: Level
    config: TravelConfig

    # ---- trips ----------------------------------------------------------------------------------------------------

    def trip(self) -> Trip:
        """A trip with wishes by level, and no budget yet."""
        rng, world = self.rng, self.world
        days: int = self.config.days or rng.choice((3, 3, 5, 7))
        region = rng.choice(sorted(world.regions))
        home = rng.choice([city for city in world.cities if city not in world.regions[region]])
        destination = rng.choice(world.regions[region]) if days == 3 else region
        start = world.days[rng.randrange(len(world.days) - days + 1)]
        people = 1 if self.level == "easy" else rng.randint(1, 7)
        trip = Trip(home, destination, days, VISITS[days], start, people, 10**9, self.level)
        for _ in range({"easy": 0, "medium": 1, "hard": 3}[self.level]):
            trip = self.wish(trip, _WISHES)
        if self.level != "easy":
            trip = self._about_time(trip)
        return trip

    def wish(self, trip: Trip, among: Iterable[str]) -> Trip:
        """The trip with one wish more, of those that it lacks."""
        rng = self.rng
        kind = rng.choice([name for name in among if not getattr(trip, name)])
        value: Any
        match kind:
            case "house_rule":
                value = rng.choice(RULES)
            case "cuisine":
                value = tuple(rng.sample(CUISINES, rng.randint(1, 3 if trip.days == 3 else 2)))
            case "room_type":
                value = rng.choice((*ROOM_TYPES, "not shared room"))
            case "transportation":
                value = rng.choice(("no flight", "no self-driving"))
            case "depart_after":
                value = rng.randrange(480, 841, 30)
            case _:
                value = rng.randrange(990, 1321, 30)
        return replace(trip, **{kind: value})

    def _about_time(self, trip: Trip) -> Trip:
        rng = self.rng
        if rng.random() < 0.4:
            trip = self.wish(trip, _TIMES)
        if rng.random() < 0.4:
            trip = self._sight(trip) if trip.visits == 1 else self._city(trip)
        if rng.random() < 0.25:
            trip = replace(trip, hotel_rating=rng.choice((3.0, 3.5, 4.0)))
        return replace(trip, timed=rng.random() < (0.3 if self.level == "medium" else 0.7))

    def _sight(self, trip: Trip) -> Trip:
        """Something that is open on the one full day."""
        rows = [row for row in self.world.attractions(trip.destination) if is_open(row, trip.dates[1], 780, 870)]
        row = self.rng.choice(rows)
        return replace(trip, must_see=f"{row.name}, {row.city}")

    def _city(self, trip: Trip) -> Trip:
        return replace(trip, must_visit=self.rng.choice(self.world.regions[trip.destination]))

    # ---- stages ---------------------------------------------------------------------------------------------------

    def first(self, held: tuple[str, ...] = ()) -> Stage | None:
        """A trip that can be planned, with a budget a little above the optimum."""
        trip = self.trip()
        found = Solver(self.world, trip).best()
        if found is None:
            return None
        trip = replace(trip, budget=self.budget(found.cost))
        return self._stage(trip, found, language.request(trip, self.rng, self.split, held))

    def budget(self, optimum: int) -> int:
        slack = SLACK[self.level] if self.config.slack is None else self.config.slack
        return ceil(optimum * (1 + slack))

    def held(self, trip: Trip) -> tuple[str, ...]:
        """What a traveller might leave out at first: two or three things, one of them without a default."""
        there = [topic for topic in TOPICS if topic in ("budget", "dates", "people") or getattr(trip, topic, None)]
        return tuple(self.rng.sample(there, min(len(there), self.rng.randint(2, 3))))

    def answers(self, trip: Trip) -> dict[str, str]:
        """What the traveller says about each topic."""
        rng, split = self.rng, self.split
        texts = {topic: language.detail(topic, trip, rng, split) for topic in TOPICS}
        nothing = language.say("none", rng, split)
        return {topic: text or nothing for topic, text in texts.items()} | {
            "unclear": language.say("unclear", rng, split)
        }

    def revised(self, stage: Stage) -> Stage | None:
        """The traveller changes something: one more wish, one more person, other dates, less money."""
        rng, trip = self.rng, stage.trip
        change = rng.choice(("wish", "people", "dates", "budget"))
        told: tuple[str, ...]
        if change == "wish":
            open_ = [name for name in (*_WISHES, *_TIMES) if not getattr(trip, name)]
            trip = self.wish(trip, open_)
            told = tuple(name for name in open_ if getattr(trip, name))
        elif change == "people":
            trip, told = replace(trip, people=trip.people % 8 + 1), ("people",)
        elif change == "dates":
            starts = [day for day in self.world.days[: len(self.world.days) - trip.days + 1] if day != trip.start]
            trip, told = replace(trip, start=rng.choice(starts), must_see=""), ("dates",)
            if stage.trip.must_see:
                return None
        else:
            cut = stage.optimum + (trip.budget - stage.optimum) // 3
            if cut >= trip.budget:
                return None
            trip, told = replace(trip, budget=cut), ("budget",)
        found = Solver(self.world, trip, frozenset(stage.shut)).best()
        if found is None or found.cost > 3 * stage.optimum:
            return None
        if change != "budget" and (found.cost > trip.budget or change == "people"):
            trip, told = replace(trip, budget=self.budget(found.cost)), (*told, "budget")
        said = [language.detail(topic, trip, rng, self.split) for topic in told]
        message = " ".join([self._say("change"), *said, self._say("again")])
        return self._stage(trip, found, message, stage.shut)

    def disrupted(self, stage: Stage, solution: Solution) -> Stage | None:
        """A strike or a fire takes away what the optimum uses."""
        legs = [leg for leg in solution.legs if leg.mode not in CARS]
        if legs and self.rng.random() < 0.7:
            leg = self.rng.choice(legs)
            row = self.world.journey(leg.number)
            assert row is not None
            where = "carrier = ? AND origin = ? AND date = ? ORDER BY number"
            query = f"SELECT number FROM journeys WHERE {where}"
            hit = tuple(number for (number,) in self.world.rows(query, row.carrier, row.origin, row.date))
            news = self._say("strike", carrier=row.carrier, date=row.date, origin=row.origin)
        else:
            hotel = self.rng.choice(solution.stays).hotels[0]
            hit, news = (hotel.key,), self._say("fire", hotel=f"{hotel.name}, {hotel.city}")
        shut = tuple(sorted({*stage.shut, *hit}))
        found = Solver(self.world, stage.trip, frozenset(shut)).best()
        if found is None or found.cost > 3 * stage.optimum:
            return None
        trip, said = stage.trip, [news]
        if found.cost > trip.budget:
            trip = replace(trip, budget=self.budget(found.cost))
            said.append(language.detail("budget", trip, self.rng, self.split))
        return self._stage(trip, found, " ".join([*said, self._say("again")]), shut)

    def unsolvable(self) -> Stage | None:
        """A trip for which there is no plan, though there would be one without a single wish."""
        trip = self.trip()
        found = Solver(self.world, trip).best()
        if found is not None:
            trip = replace(trip, budget=int(found.cost * self.rng.uniform(0.7, 0.95)))
        without = {wish: best for wish in trip.wishes() if (best := Solver(self.world, trip.without(wish)).best())}
        if found is None:
            without.pop("budget", None)
            if not without:
                return None
            trip = replace(trip, budget=self.budget(min(best.cost for best in without.values())))
        relaxations = {
            wish: best.cost for wish, best in without.items() if wish == "budget" or best.cost <= trip.budget
        }
        give_up = self.rng.choice(sorted(relaxations))
        stage = self._stage(trip.without(give_up), without[give_up], language.request(trip, self.rng, self.split))
        stage.trip, stage.relaxations, stage.give_up = trip, relaxations, give_up
        stage.proven = found.cost if found else None
        return stage

    def _say(self, topic: str, **values: object) -> str:
        return language.say(topic, self.rng, self.split, **values)

    def _stage(self, trip: Trip, found: Solution, message: str, shut: tuple[str, ...] = ()) -> Stage:
        return Stage(trip, shut, message, found.cost, render(found, self.world, trip, frozenset(shut)), {})

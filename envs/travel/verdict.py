"""The verdict on one submitted plan: two levels, hard constraints, cost. Pure: a plan, a trip, a world, what was shown.

Trajectory level (gate): TravelPlanner's commonsense and `feasible`.  Turn level: every name, number and road of the
plan was in an earlier reply of a tool, and all figures that it states are that row's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from agentgym.envs.travel import commonsense, feasible, hard
from agentgym.envs.travel.clock import span
from agentgym.envs.travel.itinerary import Day, Itinerary, look_up
from agentgym.envs.travel.plan import BadPlan, read_plan
from agentgym.envs.travel.rules import road_cost
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.world import World


@dataclass(slots=True)
class Weights:
    """Of the reward, see `Verdict.reward`. Ours: DeepTravel's are not known."""

    hard: float = 0.8
    soft: float = 0.2
    commonsense: float = 0.0


@dataclass(slots=True)
class Verdict:
    """`commonsense`, `feasible`, `hard`: by check, "" for a pass. `grounded`: the share of claims shown before."""

    delivered: bool = False
    commonsense: dict[str, str] = field(default_factory=dict)
    feasible: dict[str, str] = field(default_factory=dict)
    hard: dict[str, str] = field(default_factory=dict)
    grounded: float = 0.0
    soft: float = 0.0
    cost: int = 0
    answer: str = ""
    """What is wrong with the answer as a whole (solvable or not); "" if nothing is."""
    ungrounded: str = ""

    @property
    def trajectory(self) -> bool:
        return self.delivered and not any(self.commonsense.values()) and not any(self.feasible.values())

    @property
    def hard_share(self) -> float:
        return _share(self.hard)

    @property
    def solved(self) -> bool:
        return self.trajectory and not self.answer and not any(self.hard.values()) and self.grounded == 1.0

    def reward(self, weights: Weights) -> float:
        """F * T * (w_c * C + G * (w_h * H + w_s * S)), over the sum of weights; in [0, 1].

        F: a plan was submitted and says rightly whether there is one. T: grounded. C: share of commonsense checks.
        G: trajectory level, 0 or 1. H: share of hard constraints. S: the soft part, only where H is 1.
        """
        if not self.delivered or self.answer:
            return 0.0
        soft = self.soft if self.hard_share == 1.0 else 0.0
        gated = weights.hard * self.hard_share + weights.soft * soft
        total = weights.commonsense * _share(self.commonsense) + (gated if self.trajectory else 0.0)
        return self.grounded * total / (weights.hard + weights.soft + weights.commonsense)

    def reason(self) -> str:
        """The first thing that is wrong."""
        if not self.delivered:
            return self.answer or "no plan was submitted"
        named = {**self.commonsense, **self.feasible, **self.hard}
        said = [f"{name}: {text}" for name, text in named.items() if text]
        return "; ".join(
            [*([self.answer] if self.answer else []), *said, *([self.ungrounded] if self.ungrounded else [])]
        )


def judge(text: str, trip: Trip, world: World, shut: Set[str], shown: Collection[str], optimum: int) -> Verdict:
    """The verdict on a plan's text. `optimum`: the least that this trip can cost."""
    verdict = Verdict()
    try:
        plan = look_up(read_plan(text), world, trip, shut)
    except BadPlan as error:
        verdict.answer = f"no plan: {error}"
        return verdict
    verdict.delivered = True
    verdict.commonsense = {name: check(plan) for name, check in commonsense.CHECKS.items()}
    sound = not verdict.commonsense["within_sandbox"] and not verdict.commonsense["complete_information"]
    unsound = (
        "not looked at: the plan is not within the sandbox or not complete"  # TravelPlanner counts these as failed
    )
    verdict.feasible = {name: check(plan) if sound else unsound for name, check in feasible.CHECKS.items()}
    verdict.hard = {name: check(plan) if sound else unsound for name, check in hard.checks(trip).items()}
    verdict.grounded, verdict.ungrounded = _grounded(plan, set(shown))
    verdict.cost = plan.cost()
    verdict.soft = _soft(plan, optimum)
    return verdict


def missing(trip: Trip) -> Verdict:
    """The verdict where nothing was submitted: everything that is asked has failed."""
    verdict = Verdict(answer="nothing was submitted")
    for checks, asked in ((verdict.commonsense, commonsense.CHECKS), (verdict.hard, hard.checks(trip))):
        checks.update(dict.fromkeys(asked, verdict.answer))
    return verdict


def _share(checks: dict[str, str]) -> float:
    return sum(not text for text in checks.values()) / len(checks) if checks else 0.0


def _soft(plan: Itinerary, optimum: int) -> float:
    """How near to the cheapest; together with the wish for good hotels, if there is one, half each."""
    cheap = min(1.0, optimum / plan.cost()) if plan.cost() else 0.0
    if plan.trip.hotel_rating is None:
        return cheap
    nights = [hotel.rating for hotel, nights in plan.stays() for _ in nights]
    return (cheap + sum(rating >= plan.trip.hotel_rating for rating in nights) / max(1, len(nights))) / 2


def _grounded(plan: Itinerary, shown: set[str]) -> tuple[float, str]:
    """The share of the plan's claims that tools have shown, and the first that they have not."""
    claims: list[tuple[str, bool]] = []
    for day in plan.days:
        if day.plan.ride is not None:
            row = day.journey or day.road
            claims.append(
                (f"{day.plan.ride.mode} {day.plan.ride.number}".strip(), row is not None and row.key in shown)
            )
            claims += [(f"{name} {value}", _figure(plan, day, name, value)) for name, value in day.plan.ride.says]
        places = [*day.meals.values(), *day.attractions, *([day.hotel] if day.plan.hotel else [])]
        names = [*day.plan.meals.values(), *day.plan.attractions, *([day.plan.hotel] if day.plan.hotel else [])]
        claims += [
            (named.name, place is not None and place.key in shown) for named, place in zip(names, places, strict=True)
        ]
    if not claims:
        return 0.0, "the plan says nothing"
    wrong = [what for what, right in claims if not right]
    return 1 - len(wrong) / len(claims), f"not shown by any tool: {wrong[0][:80]}" if wrong else ""


def _figure(plan: Itinerary, day: Day, name: str, value: str) -> bool:
    """Whether a stated figure of a journey is the row's. Departure and arrival are `feasible.stated_times`'."""
    row, people = day.journey or day.road, plan.trip.people
    if row is None:
        return False
    if name.endswith("time"):
        return True
    if name == "duration":
        return value.lower() == span(row.minutes)
    numbers = [int(found.replace(",", "")) for found in re.findall(r"[0-9][0-9,]{0,8}", value)]
    if name == "distance":
        return numbers == [row.km]
    if day.journey is not None:
        return numbers in ([day.journey.price], [day.journey.price * people])
    assert day.road is not None
    return numbers == [road_cost(day.mode, day.road.km, people)]

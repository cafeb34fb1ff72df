"""Scripted policies: the expert who looks everything up first, doing nothing, acting at random. Cheats are in `cheats`.

All act by the tools like any agent, and are functions of the context alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from agentgym.envs.travel.clock import day_after
from agentgym.envs.travel.plan import Day, read_plan
from agentgym.envs.travel.rules import CARS
from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

Call = tuple[str, dict[str, Any]]
Plan = list[dict[str, Any]]
_PAGES = re.compile(r"page 1 of ([0-9]+)")
_SUBMITS = ("submit_plan", "report_unsolvable")
_DATE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"\b(?:[A-Z][a-zà-ž']+ ?)+\b")


def say(context: Context, *calls: Call) -> Action:
    """One assistant message with these calls."""
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(calls=tuple(made))


def expert(
    name: str, final: Callable[[Context, int], Call], look: Callable[[Context, int], Sequence[Call]] | None = None
) -> Scripted:
    """A privileged policy: each stage, first pages, then the further ones, then what `final` says.

    look: (context, stage) to the searches; by default all that the stage's best plan takes.
    """
    look = look or searches

    def play(context: Context) -> Action:
        said = [message for message in context.messages if message.role == "assistant"]
        ends = [n for n, message in enumerate(said) if any(call.name in _SUBMITS for call in message.tool_calls)]
        since = len(said) - (ends[-1] + 1 if ends else 0)
        stage = min(len(ends), len(context.task.secret["stages"]) - 1)
        calls = look(context, stage) if since == 0 else _further_pages(context) if since == 1 else []
        return say(context, *(calls or [final(context, stage)]))

    return Scripted(name, play, privileged=True)


def oracle() -> Scripted:
    """Looks everything up, and submits the best plan of each stage."""
    return expert("oracle", lambda context, stage: submission(context, stage, plan_of(context, stage)))


def plan_of(context: Context, stage: int) -> Plan:
    """A copy of the best plan of a stage."""
    plan: Plan = json.loads(json.dumps(context.task.secret["stages"][stage]["plan"]))
    return plan


def submission(context: Context, stage: int, plan: Any) -> Call:
    """The right way to hand in `plan` at this stage."""
    truth = context.task.secret["stages"][stage]
    text = plan if isinstance(plan, str) else json.dumps(plan, ensure_ascii=False)
    if truth["relaxations"]:
        return "report_unsolvable", {"conflict": truth["give_up"], "plan": text}
    return "submit_plan", {"plan": text}


def searches(context: Context, stage: int) -> list[Call]:
    """The first pages of all searches that the stage's best plan takes, and the questions that must be asked."""
    start = context.task.secret["stages"][stage]["trip"]["start"]
    calls: dict[str, Call] = {}
    asked = [
        (
            "ask_traveller",
            {"question": "When, how many people, what budget, rooms, house rules, food, transport, times?"},
        )
    ]
    for call in (asked if context.task.secret["held"] and stage == 0 else []) + [
        call for day in read_plan(plan_of(context, stage)) for call in _of_day(day, day_after(start, day.number - 1))
    ]:
        calls[json.dumps(call)] = call
    return list(calls.values())


def _of_day(day: Day, date: str) -> list[Call]:
    calls: list[Call] = []
    if ride := day.ride:
        ends = {"origin": ride.origin, "destination": ride.destination}
        calls.append(("route", ends) if ride.mode in CARS else (f"search_{ride.mode}s", {**ends, "date": date}))
    calls += [("search_restaurants", {"city": named.city}) for named in day.meals.values()]
    calls += [("search_attractions", {"city": named.city}) for named in day.attractions]
    if day.hotel:
        calls.append(("search_hotels", {"city": day.hotel.city, "check_in": date}))
    return calls


def _further_pages(context: Context) -> list[Call]:
    """The pages after the first of what was searched last."""
    at = max(n for n, message in enumerate(context.messages) if message.role == "assistant")
    replies = {message.tool_call_id: message.text for message in context.messages[at + 1 :]}
    calls: list[Call] = []
    for call in context.messages[at].tool_calls:
        found = _PAGES.search(replies.get(call.id, ""))
        for page in range(2, int(found[1]) + 1 if found else 0):
            calls.append((call.name, {**json.loads(call.arguments), "page": page}))
    return calls


def noop() -> Scripted:
    return Scripted("noop", lambda context: Action("I would rather not plan anything."))


def random_player() -> Scripted:
    """Well-formed calls of random tools with words from the conversation."""
    return Scripted("random", _play_at_random)


def _play_at_random(context: Context) -> Action:
    rng = Random(context.seed)
    texts = [context.messages[0].text.partition("The traveller says: ")[2], *(m.text for m in context.messages[1:])]
    heard = "\n".join(texts[-8:] + texts[:1])
    names = sorted({name.strip() for name in _NAME.findall(heard)}) or ["Nowhere"]
    dates = sorted(set(_DATE.findall(heard))) or ["2027-06-15"]
    city, other, date = rng.choice(names), rng.choice(names), rng.choice(dates)
    calls: dict[str, dict[str, Any]] = {
        "search_flights": {"origin": city, "destination": other, "date": date},
        "search_trains": {"origin": city, "destination": other, "date": date},
        "search_hotels": {"city": city, "check_in": date, "nights": rng.randint(1, 3)},
        "search_restaurants": {"city": city},
        "search_attractions": {"city": city},
        "search_cities": {"region": city},
        "route": {"origin": city, "destination": other},
        "calendar": {"date": date},
        "notebook": {"note": city},
        "ask_traveller": {"question": "What is your budget, and when do you leave?"},
        "submit_plan": {"plan": json.dumps(_random_plan(rng, names))},
        "report_unsolvable": {"conflict": "budget", "plan": json.dumps(_random_plan(rng, names))},
    }
    name = rng.choice(sorted(calls))
    return say(context, (name, calls[name]))


def _random_plan(rng: Random, names: Sequence[str]) -> Plan:
    def place() -> str:
        return f"{rng.choice(names)}, {rng.choice(names)}"

    home, away = rng.choice(names), rng.choice(names)
    cities = (f"from {home} to {away}", away, f"from {away} to {home}")
    return [
        {
            "days": number,
            "current_city": city,
            "transportation": f"Self-driving, {city}" if "from" in city else "-",
            **{field: place() for field in ("breakfast", "lunch", "dinner", "attraction", "accommodation")},
        }
        for number, city in enumerate(cities, 1)
    ]

"""The verdict: good plans pass, spoiled ones do not, each for its reason; and what an outside party writes never raises."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.travel import commonsense, feasible
from agentgym.envs.travel.mutants import MUTANTS, mutated
from agentgym.envs.travel.plan import FIELDS, BadPlan, read_plan
from agentgym.envs.travel.tasks import world_of
from agentgym.envs.travel.trip import Trip
from agentgym.envs.travel.verdict import Weights, judge, missing
from agentgym.envs.travel.world import World
from tests.envs.travel.conftest import task as get
from tests.envs.travel.conftest import task_of


@cache
def everything(world: World) -> frozenset[str]:
    """The key of every row."""
    keys = {number for (number,) in world.db.execute("SELECT number FROM journeys")}
    keys |= {f"road {a} > {b}" for a, b in world.db.execute("SELECT origin, destination FROM roads")}
    for kind in ("hotel", "restaurant", "attraction"):
        keys |= {f"{kind} {name}, {city}" for name, city in world.db.execute(f"SELECT name, city FROM {kind}s")}
    return frozenset(keys)


def judged(task, plan, stage=0, shown=None):
    """The verdict on `plan` at a stage, with everything shown unless said."""
    truth, world = task.secret["stages"][stage], world_of(task.payload["world"])
    text = plan if isinstance(plan, str) else json.dumps(plan)
    trip = Trip.of(truth["trip"])
    if truth["relaxations"]:
        trip = trip.without(truth["give_up"])
    seen = everything(world) if shown is None else shown
    return judge(text, trip, world, frozenset(truth["shut"]), seen, truth["optimum"])


SOME = [f"{split}-{number}" for split in ("train", "test") for number in (0, 2, 3, 4, 5, 6, 7)] + [
    "train-10",
    "train-13",
]


@pytest.mark.parametrize("id", SOME)
async def test_the_best_plan_of_every_stage_is_solved_at_the_proven_price(id):
    task = await get(id)
    for at, stage in enumerate(task.secret["stages"]):
        verdict = judged(task, stage["plan"], at)
        assert verdict.solved, verdict.reason()
        assert verdict.cost == stage["optimum"] and verdict.grounded == 1
        if stage["trip"]["hotel_rating"] is None:
            assert verdict.reward(Weights()) == 1.0


@pytest.mark.parametrize("name", sorted(MUTANTS))
async def test_spoiled_plans_are_refused(name):
    spoiled = 0
    for id in SOME[::2]:
        task = await get(id)
        world = world_of(task.payload["world"])
        for at, stage in enumerate(task.secret["stages"]):
            if plan := mutated(name, stage, world):
                verdict = judged(task, plan, at)
                assert not verdict.solved, (id, plan)
                assert not verdict.trajectory and verdict.reason()
                spoiled += 1
    assert spoiled >= 2


REASONS = {
    "invented-last-attraction": ("within_sandbox", "there is no attraction 'Museum of Nothing'"),
    "half-name": ("within_sandbox", "there is no restaurant"),
    "same-restaurant-twice": ("diverse_restaurants", "comes twice"),
    "missing-day": ("complete_information", "days, the trip"),
    "days-appended": ("complete_information", "days, the trip"),
    "no-way-home": ("reasonable_route", ""),
    "wrong-date": ("dates", "goes on"),
    "nonsense-times": ("stated_times", "not 03:33"),
    "closed-for-dinner": ("timetables", "closed"),
    "too-many-sights": ("timetables", "more than"),
    "overbooked": ("rooms", "has no room"),
    "overlapping-times": ("timetables", ""),
    "restaurant-of-elsewhere": ("within_current_city", "is in"),
    "injected-sql": ("within_sandbox", "UNION SELECT"),
}


@pytest.mark.parametrize("name", sorted(REASONS))
async def test_and_for_the_right_reason(name):
    for id in SOME:
        task = await get(id)
        stage = task.secret["stages"][0]
        if plan := mutated(name, stage, world_of(task.payload["world"])):
            verdict = judged(task, plan)
            check, words = REASONS[name]
            assert words in {**verdict.commonsense, **verdict.feasible}[check] != ""
            return
    pytest.fail(f"no plan of these can be spoiled by {name}")


async def test_hard_constraints_are_told_apart():
    """A plan for the same trip with one wish more fails that wish alone, and the reward says how many were met."""
    task = await task_of("single", 0)
    stage = task.secret["stages"][0]
    cheap = {**stage, "trip": {**stage["trip"], "budget": stage["optimum"] - 1}}
    verdict = judge(json.dumps(stage["plan"]), Trip.of(cheap["trip"]), world_of(task.payload["world"]), set(), set(), 1)
    assert [name for name, said in verdict.hard.items() if said] == ["budget"] and verdict.trajectory
    wished = Trip.of({**stage["trip"], "depart_after": 1400, "cuisine": ["Nothing"]})
    verdict = judge(json.dumps(stage["plan"]), wished, world_of(task.payload["world"]), set(), set(), 1)
    assert verdict.hard_share == 1 / 3 and not verdict.hard["budget"]


async def test_claims_that_no_tool_has_shown_cost_their_share():
    task = await task_of("single", 0)
    stage = task.secret["stages"][0]
    shown = everything(world_of(task.payload["world"]))
    hotel = next(key for key in shown if key == f"hotel {stage['plan'][0]['accommodation']}")
    verdict = judged(task, stage["plan"], shown=shown - {hotel})
    assert verdict.trajectory and not verdict.solved and 0 < verdict.grounded < 1
    assert verdict.reward(Weights()) == pytest.approx(verdict.grounded)
    assert judged(task, stage["plan"], shown=set()).reward(Weights()) == pytest.approx(
        judged(task, stage["plan"], shown=set()).grounded
    )


async def test_figures_that_a_plan_states_are_claims():
    for number in range(12):
        task = await get(f"train-{5 * number}")
        plan = task.secret["stages"][0]["plan"]
        drive = next((day for day in plan if "Distance" in day["transportation"]), None)
        if drive is None:
            continue
        for what, to in (("Distance: ", "Distance: 9"), ("Cost: ", "Cost: 9"), ("Duration: ", "Duration: 9")):
            spoiled = [{**day, "transportation": day["transportation"].replace(what, to)} for day in plan]
            verdict = judged(task, spoiled)
            assert verdict.trajectory and verdict.grounded < 1, what
        return
    pytest.fail("no best plan of these has a drive")


async def test_the_reward_is_the_documented_formula():
    task = await task_of("single", 5)
    plan = task.secret["stages"][0]["plan"]
    verdict = judged(task, plan)
    verdict.soft = 0.5
    assert verdict.reward(Weights(0.6, 0.4)) == pytest.approx(0.6 + 0.4 * 0.5)
    assert verdict.reward(Weights(0.5, 0.25, 0.25)) == pytest.approx(0.25 + 0.5 + 0.25 * 0.5)
    verdict.hard["budget"] = "too dear"
    share = verdict.hard_share
    assert share < 1 and verdict.reward(Weights(0.6, 0.4)) == pytest.approx(0.6 * share)
    verdict.feasible["seats"] = "none"
    assert verdict.reward(Weights()) == 0 and verdict.reward(Weights(0.5, 0.25, 0.25)) == pytest.approx(0.25)
    assert missing(Trip.of(task.secret["stages"][0]["trip"])).reward(Weights(0.5, 0.25, 0.25)) == 0


async def test_travelplanners_own_format_passes_as_it_is():
    """States in brackets, capitals, `day`, padding, no activities."""
    task = await get("train-0")
    plan = task.secret["stages"][0]["plan"]
    theirs = []
    for day in plan:
        made = {key: value for key, value in day.items() if key not in ("days", "activities")}
        city = made["current_city"].rpartition(" to ")[2]
        made = {
            key: value.replace(city, f"{city}(Some State)") if key == "current_city" else value
            for key, value in made.items()
        }
        theirs.append({"day": day["days"], **made, "attraction": made["attraction"].rstrip(";")})
    verdict = judged(task, [*theirs, {}, {}])
    assert verdict.trajectory, verdict.reason()


# ---- what is no plan ------------------------------------------------------------------------------------------------

GOOD = {"days": 1, "current_city": "Rome", **dict.fromkeys(FIELDS, "-")}
BAD = [
    *(
        "",
        "{",
        "null",
        "[]",
        "{}",
        "[[]]",
        "[1]",
        "[{}]",
        '["day"]',
        "NaN",
        "[NaN]",
        "[" * 9_000,
        '[{"days": 1}]',
        "\ud800",
    ),
    *('[{"days": 1, "days": 2}]', "1" * 70_000, '[{"days": ' + "9" * 5_000 + "}]"),
]
CHANGES = [
    *(
        {"days": 2},
        {"days": "1"},
        {"days": 1.0},
        {"days": True},
        {"days": -1},
        {"current_city": ""},
        {"current_city": None},
    ),
    *(
        {"current_city": "from Rome"},
        {"current_city": "from  to Milan"},
        {"current_city": 5},
        {"current_city": ["Rome"]},
    ),
    *(
        {"breakfast": "No City"},
        {"breakfast": ", Rome"},
        {"breakfast": 7},
        {"lunch": "x" * 700},
        {"dinner": "a\x00b, Rome"},
    ),
    *(
        {"dinner": "\ud800, Rome"},
        {"dinner": "a\nb, Rome"},
        {"attraction": "A, Rome;B"},
        {"accommodation": {}},
        {"score": 1},
    ),
    *(
        {"transportation": "Teleport, from A to B"},
        {"transportation": "Flight Number: F1"},
        {"transportation": "Taxi, A to B"},
    ),
    *(
        {"transportation": "Taxi, from A to B, Departure Time: 25:00"},
        {"transportation": "Taxi, from A to B, Bribe: 5"},
    ),
    *({"transportation": "Taxi, from A to B, Departure Time: ٠٩:٠٠"},),
    *(
        {"transportation": "Flight Number: F0000001, from A to B, Cost: 1, Cost: 2"},
        {"activities": {}},
        {"activities": [{}]},
    ),
    *({"activities": [{"type": "nap", "name": "A, B", "start": "08:00", "end": "09:00"}]},),
    *({"activities": [{"type": "lunch", "name": "A, B", "start": "12:00", "end": "11:00"}]},),
    *({"activities": [{"type": "lunch", "name": "A, B", "start": 1200, "end": "13:00"}]}, {"activities": [1] * 99}),
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text)[:40])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(BadPlan) as refused:
        read_plan(text)
    assert str(refused.value)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: repr(change)[:60])
def test_bad_fields_are_refused(change):
    assert read_plan(json.dumps([GOOD]))[0].cities == ("Rome",)
    with pytest.raises(BadPlan) as refused:
        read_plan(json.dumps([{**GOOD, **change}]))
    assert "day 1" in str(refused.value) or "item 1" in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["days", "current_city", *FIELDS]), inner)
    ),
)
TEXTS = st.sampled_from(
    [
        "-",
        "Rome",
        "from Rome to Milan",
        "X, Rome",
        "X, Rome;Y, Rome;",
        "Taxi, from Rome to Milan",
        "",
        ",",
        ";;",
        "\x00",
        "-, -",
    ]
)
DAYS = st.lists(st.fixed_dictionaries({"current_city": TEXTS, **dict.fromkeys(FIELDS, TEXTS)}), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.text() | JSON.map(json.dumps))
def test_nothing_else_is_ever_raised(text):
    try:
        assert read_plan(text)
    except BadPlan as error:
        assert str(error)


@settings(max_examples=25, deadline=None)
@given(DAYS)
def test_any_plan_that_can_be_read_gets_a_verdict(days):
    world = world_of(7)
    cities = sorted(world.cities)
    trip = Trip(cities[0], cities[1], 3, 1, world.days[0], 2, 100, cuisine=("French",), back_by=1080, timed=True)
    text = json.dumps([{"days": n, **day} for n, day in enumerate(days, 1)])
    text = text.replace("Rome", cities[0]).replace("Milan", cities[1])
    verdict = judge(text, trip, world, frozenset(), everything(world), 50)
    assert not verdict.solved and verdict.reason()
    assert 0 <= verdict.reward(Weights(0.5, 0.2, 0.3)) <= 1


def test_there_are_as_many_checks_as_are_claimed():
    assert len(commonsense.CHECKS) == 8 and len(feasible.CHECKS) == 5 and len(MUTANTS) >= 17

"""Words: held-out phrasings are held out, whatever is asked is told, and failures come back."""

from random import Random
from typing import get_args

import pytest

from agentgym.envs.travel import language
from agentgym.envs.travel.environment import Wish
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.traveller import TOPICS, answer, topics_of
from agentgym.envs.travel.trip import RELAXABLE, Trip
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.trainers.samplers import Book, sampler
from tests.envs.travel.conftest import task as get

TRIP = Trip(
    *("Rome", "Milan", 3, 1, "2027-06-15", 2, 900, "hard", "pets", ("French", "Indian"), "private room", "no flight"),
    depart_after=600,
    back_by=1200,
    must_see="A, Milan",
    timed=True,
    hotel_rating=3.5,
)


def test_no_phrasing_is_in_both_banks():
    for topic, (train, test) in language._PHRASES.items():
        assert train and test and not set(train) & set(test), topic


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seed", range(5))
def test_a_request_says_everything_but_what_is_held_back(split, seed):
    said = language.request(TRIP, Random(seed), split)
    facts = (
        "Rome",
        "Milan",
        "2027-06-15",
        "2027-06-17",
        "$900",
        "pets",
        "French and Indian",
        "private room",
        "no flight",
    )
    assert all(fact in said for fact in (*facts, "10:00", "20:00", "A, Milan", "3.5", "activities")), said
    held = language.request(TRIP, Random(seed), split, ("budget", "dates"))
    assert "900" not in held and "2027" not in held


def test_questions_are_understood_by_their_words():
    assert topics_of("What is your budget?") == ["budget"]
    assert set(topics_of("When do you leave, and how many people are you?")) >= {"dates", "people"}
    answers = {**{topic: f"<{topic}>" for topic in TOPICS}, "unclear": "?"}
    assert answer("blue", answers) == ("?", []) and answer("", answers) == ("?", [])
    said, told = answer("Any food? Any kind of room? Do you like to fly? At what times?", answers)
    assert {"cuisine", "room_type", "transportation", "depart_after"} <= set(told)
    assert all(f"<{topic}>" in said for topic in told)
    assert answer("budget " * 100_000, answers)[1] == ["budget"]


def test_what_can_be_reported_is_what_can_be_given_up():
    assert get_args(Wish) == RELAXABLE
    assert TRIP.wishes() == list(RELAXABLE)
    for wish in RELAXABLE:
        assert wish == "budget" or wish not in TRIP.without(wish).wishes()
    assert Trip.of(TRIP.record()) == TRIP


async def test_failures_are_replayed():
    """DeepTravel's buffer: a task whose whole group failed comes back, one that was solved does not come back for it."""
    tasks = [await get(f"train-{number}") for number in range(6)]
    book = Book([task.id for task in tasks])
    async with Runtime() as runtime:
        for name, some in (("oracle", tasks[:3]), ("noop", tasks[3:4])):
            episodes = collect(PLANNER, PLANNER.policies[name](), some, runtime=runtime, group_size=2)
            book.record([trajectory async for trajectory in episodes])
    assert [entry.failures for entry in book.entries.values()] == [0, 0, 0, 1, 0, 0]
    replay = sampler("failure_replay", share=0.5)
    assert all("train-3" in replay(book, 2, seed) for seed in range(20))

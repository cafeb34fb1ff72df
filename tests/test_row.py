"""Rows are the sampled ids, joined: property tests against a policy that builds contexts in every allowed way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.errors import UsageError
from agentgym.row import rows
from agentgym.types import Action, EpisodeKey, Info, Observation, Sample, Trajectory, Turn

ids = st.lists(st.integers(0, 999), min_size=1, max_size=5)
steps = st.lists(st.tuples(st.floats(0, 1), ids, ids, st.sampled_from(["agent", "user"])), min_size=1, max_size=8)


def trajectory(turns: list[Turn]) -> Trajectory:
    return Trajectory(EpisodeKey("run", "task"), "e/x-v0", "", 0, "task", turns, "scored")


def turn(sample: Sample | None, actor: str = "agent") -> Turn:
    return Turn(Observation(actor=actor), Action("", (), "", sample), 0.0, Info())


def of_one_row(*samples: tuple[int, list[int], list[int]]) -> list[Turn]:
    return [turn(Sample(keep, prompt, out, [-0.5] * len(out))) for keep, prompt, out in samples]


@given(steps)
def test_every_model_call_is_a_prefix_of_one_row(plan):
    turns, calls = [], []
    contexts: dict[str, list[int]] = {"agent": [], "user": []}
    for index, (kept, prompt, out, actor) in enumerate(plan):
        keep = round(kept * len(contexts[actor])) if kept < 0.5 else len(contexts[actor])
        seen = contexts[actor][:keep] + prompt
        contexts[actor] = seen + out
        calls.append((index, actor, seen, out))
        turns.append(turn(Sample(keep, prompt, out, [-float(index + 1)] * len(out)), actor))
    for actor in ("agent", "user"):
        made = rows(trajectory(turns), actor)
        trained = 0
        for row in made:
            assert len(row.ids) == len(row.mask) == len(row.old_logprobs) == len(row.turn)
            assert sum(row.mask[: row.prompt_len]) == 0
            trained += sum(row.mask)
        for index, who, seen, out in calls:
            if who == actor:
                holders = [row for row in made if index in row.turn]
                assert len(holders) == 1
                (row,) = holders
                start = row.turn.index(index)
                assert row.ids[: start + len(out)] == seen + out
                assert row.mask[start : start + len(out)] == [1] * len(out)
                assert row.old_logprobs[start : start + len(out)] == [-float(index + 1)] * len(out)
        assert trained == sum(len(out) for _, who, _, out in calls if who == actor)


def test_a_growing_context_is_one_row():
    (row,) = rows(trajectory(of_one_row((0, [1, 2], [3]), (3, [4], [5, 6]))))
    assert row.ids == [1, 2, 3, 4, 5, 6]
    assert row.prompt_len == 2
    assert row.mask == [0, 0, 1, 0, 1, 1]
    assert row.turn == [-1, -1, 0, -1, 1, 1]


def test_a_cut_context_begins_a_row_and_trains_nothing_twice():
    first, second = rows(trajectory(of_one_row((0, [1, 2], [3, 4]), (3, [5], [6]))))
    assert (first.ids, second.ids) == ([1, 2, 3, 4], [1, 2, 3, 5, 6])
    assert second.mask == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ([turn(None)], "carries no tokens"),
        (of_one_row((1, [1], [2])), "keeps 1 ids"),
        ([turn(Sample(0, [1], [2, 3], [-1.0]))], "2 ids but 1 log"),
    ],
)
def test_what_is_missing_is_said(turns, says):
    with pytest.raises(UsageError, match=says):
        rows(trajectory(turns))

"""Rows as lines: every number reaches its token once, fillers weigh nothing, shares add up."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.errors import UsageError
from agentgym.row import Row
from agentgym.trainers.layout import Layout
from agentgym.types import EpisodeKey


def row(given_ids: int, sampled: int, turn: int) -> Row:
    mask = [0] * given_ids + [1] * sampled
    return Row(
        list(range(len(mask))),
        given_ids,
        mask,
        [-0.5 * bit for bit in mask],
        [turn if b else -1 for b in mask],
        EpisodeKey("r", "t"),
    )


BATCHES = st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), max_size=4), min_size=1, max_size=6)


@given(BATCHES, st.integers(1, 5))
def test_every_number_reaches_its_token_once(shapes, multiple):
    made = [[row(*shape, turn) for turn, shape in enumerate(mine)] for mine in shapes]
    layout = Layout(made, multiple)
    assert len(layout.lines) % multiple == 0
    assert {line.trajectory for line in layout.lines} == set(range(len(made)))
    numbers = [[float(100 * i + n) for n in range(len(turns))] for i, turns in enumerate(layout.turns)]
    spread = layout.spread(numbers)
    for index in range(len(made)):
        mine = [n for line, got in zip(layout.lines, spread, strict=True) if line.trajectory == index for n in got]
        assert mine == numbers[index]
    assert layout.gather([[*line, 7.0] for line in spread]) == numbers


@given(BATCHES)
def test_shares_of_a_mean_over_lines_make_a_mean_over_trajectories(shapes):
    made = [[row(*shape, turn) for turn, shape in enumerate(mine)] for mine in shapes]
    layout = Layout(made, 3)
    ones = [[1.0] * len(turns) for turns in layout.turns]
    spread = zip(layout.lines, layout.spread(ones), strict=True)
    means = [layout.weight(line, "grpo") * sum(got) / len(got) if got else 0.0 for line, got in spread]
    trajectories = sum(bool(mine) for mine in made) / len(made)
    assert sum(means) / len(means) == pytest.approx(trajectories)


@given(BATCHES, st.integers(1, 3), st.integers(1, 4))
def test_parts_of_whole_groups_are_of_one_size_and_hold_every_row_once(shapes, parts, size):
    made = [[row(*shape, turn) for turn, shape in enumerate(mine)] for mine in shapes]
    groups = [f"g{index // size}" for index in range(len(made))]
    layouts = [Layout(made, 2 * parts, part, parts, groups) for part in range(parts)]
    assert len({len(layout.own) for layout in layouts}) == 1 and len(layouts[0].own) % 2 == 0
    assert [line for layout in layouts for line in layout.own] == layouts[0].lines
    trained = [line.row for line in layouts[0].lines if line.row is not None]
    assert sorted(map(id, trained)) == sorted(id(each) for mine in made for each in mine)
    if len(set(groups)) >= parts:
        owned = [{groups[line.trajectory] for line in layout.own} for layout in layouts]
        assert all(one.isdisjoint(other) for one, other in combinations(owned, 2))


def test_a_filler_has_two_ids_and_no_weight():
    layout = Layout([[]], 2)
    assert [line.parts(9) for line in layout.lines] == [([9], [9], [0.0], [0])] * 2


def test_a_loss_of_the_local_batch_can_not_be_divided():
    layout = Layout([[row(1, 1, 0), row(2, 1, 1)]])
    with pytest.raises(UsageError, match="use one of grpo, sapo, dr_grpo"):
        layout.weight(layout.lines[0], "bnpo")

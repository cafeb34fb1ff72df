"""GUI-RC and GUI-RCPO on pixels, against the numbers that were worked out elsewhere, and against counting pixel by pixel."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.gui.voting import Consensus, consensus, decide, measured, rewards, votes, widened
from agentgym.tasks import Task
from agentgym.trainers.shaping.consensus import gui_rcpo, region_consistency
from tests.trainers.episodes import episode

SIZE = (40, 30)
THREE = [(0, 0, 2, 2), (0, 0, 2, 2), (1, 1, 3, 3)]
spans = st.integers(0, 7).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, 8)))
boxes = st.lists(
    st.one_of(st.none(), st.tuples(spans, spans).map(lambda both: (both[0][0], both[1][0], both[0][1], both[1][1]))),
    max_size=7,
)


def test_three_boxes():
    assert votes(THREE, (4, 4)).max() == 3
    assert rewards(THREE) == pytest.approx([0.75, 0.75, 0.5])
    assert consensus(THREE) == Consensus((1.5, 1.5), (1, 1, 2, 2), 3)


def test_nothing_to_vote_for():
    assert consensus([]) is None and consensus([None, None]) is None
    assert rewards([None, (0, 0, 1, 1)]) == [0, 1]
    assert rewards([None]) == [0] and rewards([]) == []


@given(boxes)
@settings(max_examples=60, deadline=None)
def test_rewards_are_means_over_the_grid_and_agree_with_the_shaper(some):
    grid = votes(some, (8, 8))
    expected = [0 if box is None else grid[box[1] : box[3], box[0] : box[2]].mean() / grid.max() for box in some]
    assert rewards(some) == pytest.approx(expected)
    assert region_consistency(some) == pytest.approx(expected)


@given(boxes)
@settings(max_examples=60, deadline=None)
def test_the_consensus_is_the_largest_part_of_the_grid_with_most_votes(some):
    grid, agreed = votes(some, (8, 8)), consensus(some)
    if not any(some):
        assert agreed is None
        return
    top, parts = grid == grid.max(), []
    seen = np.zeros_like(top)
    for y, x in np.argwhere(top):
        if not seen[y, x]:
            part, edge = [], [(y, x)]
            seen[y, x] = True
            while edge:
                j, i = edge.pop()
                part.append((j, i))
                for near in ((j + 1, i), (j - 1, i), (j, i + 1), (j, i - 1)):
                    if 0 <= near[0] < 8 and 0 <= near[1] < 8 and top[near] and not seen[near]:
                        seen[near] = True
                        edge.append(near)
            parts.append(part)
    best = max(parts, key=len)  # the first of them
    rows, columns = [j for j, _ in best], [i for _, i in best]
    assert agreed.votes == grid.max()
    assert agreed.region == (min(columns), min(rows), max(columns) + 1, max(rows) + 1)


def test_a_corner_is_no_neighbour_and_the_middle_is_that_of_the_box_around():
    corner = [(0, 0, 2, 2), (2, 2, 5, 5)]
    assert consensus(corner).region == (2, 2, 5, 5)
    bent = [(0, 0, 6, 2), (0, 2, 2, 6)]
    assert consensus(bent).point == (3, 3)


def test_what_an_answer_votes_for():
    assert widened([20, 15], SIZE, expand=5) == (15, 10, 25, 20)
    assert widened([0, 0], SIZE, expand=5) == (0, 0, 5, 5)
    assert widened([1.9, 2.9, 3.2, 99], SIZE) == (1, 2, 3, 30)
    assert widened([10, 10, 12, 12], SIZE, least=8) == (7, 7, 15, 15)
    for nothing in (None, [], [1], [5, 5, 5, 9], [float("nan"), 1], [50, 50, 60, 60], [float("inf")] * 4):
        assert widened(nothing, SIZE) is None


def test_shrinking_pays_as_published_and_not_with_a_least_size():
    others = [[10, 10, 30, 20]] * 3 + [[14, 8, 34, 22]]

    def worth(place, least):
        return rewards([widened(each, SIZE, least=least) for each in [*others, place]])[-1]

    small, smaller, wide = [19, 14, 21, 16], [19.5, 14.5, 20.5, 15.5], [10, 10, 30, 20]
    assert worth(small, 0) > worth(wide, 0)
    assert worth(small, 24) == worth(smaller, 24) < 1
    answers = [[str(each) for each in [*others, place]] for place in (small, smaller, wide)]
    as_published = [gui_rcpo([episode(answer=each) for each in some])[-1] for some in answers]
    guarded = [gui_rcpo([episode(answer=each) for each in some], least=24.0)[-1] for some in answers]
    assert as_published[0] == as_published[1] == [1.0] > as_published[2]
    assert guarded[0] == guarded[1] < [1.0]


def answered(place, success):
    made = episode(success, task="t")
    made.artefacts["answer"] = json.dumps({"place": place, "size": [100, 100]})
    return made


def test_unanimous_errors_are_seen():
    task = Task("t", "gui/grounding-v0", {}, {"boxes": [[0, 0, 10, 10]]})
    wrong = [answered([80, 80], 0.0) for _ in range(4)]
    right = [answered([5, 5], 1.0) for _ in range(4)]
    assert decide(wrong, expand=5) == [80, 80]
    assert measured(wrong, {"t": task}, expand=5) == {"accuracy": 0, "voted": 0, "agreement": 1, "unanimous_wrong": 1}
    found = measured(right, {"t": task}, expand=5)
    assert found["voted"] == found["accuracy"] == 1 and found["unanimous_wrong"] == 0
    assert measured([], {}) == {}

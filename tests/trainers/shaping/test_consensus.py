"""Rewards by agreement against the numbers of their papers and codes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.trainers.shaping import shaper
from agentgym.trainers.shaping.consensus import read_box, region_consistency
from tests.trainers.batches import near
from tests.trainers.episodes import episode

VOTES = [episode(0, answer=answer) for answer in ("a", "a", "a", "b")]


def test_ttrl():
    assert shaper("ttrl")(VOTES) == [[1], [1], [1], [0]]


def test_ttrl_ties_do_not_hang_on_the_order():
    tied = [episode(answer=answer) for answer in ("b", "a", "a", "b")]
    assert shaper("ttrl")(tied) == [[0], [1], [1], [0]]


def test_ttrv():
    assert [t[0] for t in shaper("ttrv", weight=0.0)(VOTES)] == near(0.75, 0.75, 0.75, 0.25)
    entropy = 0.562335
    assert [t[0] for t in shaper("ttrv", weight=0.5)(VOTES)][2:] == near(0.75 - entropy / 2, 0.25 - entropy / 2)


def test_answers_that_were_not_given_have_no_vote():
    silent = [episode(answer=None, turns=2)] * 5
    shape = shaper("ttrv", weight=1.0)
    assert shape([*silent, *VOTES]) == [[0, 0]] * 5 + shape(VOTES)
    assert shaper("ttrl")([*silent, *VOTES])[5:] == shaper("ttrl")(VOTES)
    assert shaper("ttrl")(silent) == [[0, 0]] * 5


def test_failed_episodes_have_no_vote_and_groups_vote_apart():
    lost = [episode(status="failed", answer="b")] * 4
    other = [episode(group="other", answer="b")] * 2
    assert shaper("ttrl")([*lost, *VOTES, *other]) == [[0]] * 4 + [[1], [1], [1], [0]] + [[1]] * 2


def test_regions():
    boxes = [(0, 0, 2, 2), (0, 0, 2, 2), (1, 1, 3, 3)]
    assert region_consistency(boxes) == near(0.75, 0.75, 0.5)
    assert region_consistency([None, *boxes, (5, 5, 5, 9)]) == near(0, 0.75, 0.75, 0.5, 0)
    assert region_consistency([None]) == [0]


corners = st.tuples(*[st.integers(0, 6)] * 4)


@given(st.lists(corners, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_regions_are_what_a_grid_of_cells_says(boxes):
    def cells(box):
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    votes = [cell for box in boxes for cell in cells(box)]
    most = max(map(votes.count, votes), default=0)
    expected = [sum(map(votes.count, cells(box))) / (most * len(cells(box))) if cells(box) else 0 for box in boxes]
    assert region_consistency(boxes) == near(*expected)


def test_gui_rcpo_reads_boxes_and_points():
    assert read_box("click [10, 20, 30.5, 40]") == (10, 20, 30.5, 40)
    assert read_box("(100, 60)") == (50, 10, 150, 110)
    assert read_box("somewhere") is None
    batch = [episode(answer=answer) for answer in ("0 0 2 2", "0 0 2 2", "1 1 3 3", "none")]
    assert [t[0] for t in shaper("gui_rcpo")(batch)] == near(0.75, 0.75, 0.5, 0)

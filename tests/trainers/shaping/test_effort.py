"""Rewards weighed by effort, cost, worth and confidence, against the numbers of their papers and codes."""

from math import log

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.shaping import RouterR1, shaper
from agentgym.trainers.shaping.effort import cheapness, cost_gated
from tests.trainers.batches import near
from tests.trainers.episodes import episode


def test_wmact():
    six_of_ten = [True] * 6 + [False] * 4
    (shaped,) = shaper("wmact")([episode(1, turns=10, effective=six_of_ten)])
    assert (sum(shaped), shaped[-1]) == (pytest.approx(0.6), pytest.approx(0.6))


def test_wmact_does_not_soften_what_is_not_positive():
    shape = shaper("wmact")
    assert shape([episode(0, rewards=[-1.0, 0.0], effective=[False, False])]) == [[-1.0, 0.0]]
    assert shape([episode(status="failed", turns=2)]) == [[0, 0]]


def test_rlev():
    worth = {"a": 0.02, "b": 0.05, "c": 0.1, "d": 0.3}
    batch = [episode(1, task=task) for task in worth]
    assert [t[0] for t in shaper("rlev", values=worth)(batch)] == near(1.2, 1.5, 2, 2)
    assert shaper("rlev", values=worth)([episode(0, task="d")]) == [[0]]
    with pytest.raises(UsageError, match="no value for the task 'e'"):
        shaper("rlev", values=worth)([episode(task="e")])


def test_router_r1_gates_the_cost():
    assert cost_gated(0.8, 0.9, 0.6) == pytest.approx(0.86)
    assert cost_gated(0.0, 0.9, 0.6) == 0
    batch = [episode(1, n * n) for n in range(1, 22)]
    shaped = [t[-1] for t in RouterR1(weight=0.5)(batch)]
    assert shaped[:2] == [1.0, 1.0] and shaped[-2:] == [0.5, 0.5]
    assert shaped[10] == pytest.approx(0.75) and shaped == sorted(shaped, reverse=True)
    assert RouterR1(weight=0.5)([episode(0, 1), episode(0, 9)]) == [[0], [0]]
    assert RouterR1(weight=0.5, well_formed=lambda t: False)([episode(1)]) == [[-1]]
    assert RouterR1(weight=0.5)([episode(1), episode(status="failed", turns=2)]) == [[0.75], [0, 0]]


def test_router_r1_remembers_costs_as_far_as_its_window():
    shape = RouterR1(weight=1.0, window=2)
    shape([episode(1, 100), episode(1, 400)])
    assert shape([episode(1, 900)]) == [[0]]
    assert shape([episode(1, 900)]) == [[0.5]]


def test_cheapness_is_by_percentiles():
    costs = list(range(101))
    assert [cheapness(c, costs) for c in (0, 5, 50, 95, 1000)] == near(1, 1, 0.5, 0, 0)
    assert cheapness(3, [3, 3, 3]) == cheapness(3, [3]) == 0.5


def test_lens():
    wrong = [episode(0, 3, logprob=log(c)) for c in (0.8, 0.6, 0.5, 0.4)]
    assert [t[0] for t in shaper("lens")(wrong)] == near(-0.25, -0.15, -0.113636, -0.083333)
    mixed = [episode(float(i == 0), 3, logprob=log(c)) for i, c in enumerate((0.7, 0.6, 0.5, 0.4))]
    assert [t[0] for t in shaper("lens")(mixed)] == near(1, -0.068182, -0.054348, -0.041667)
    lost = episode(status="failed", logprob=-0.01)
    assert shaper("lens")([lost, *mixed])[1:] == shaper("lens")(mixed)
    mixed[1].turns[0].action.sample = None
    with pytest.raises(UsageError, match="carries no log-probabilities"):
        shaper("lens")(mixed)

"""The filter on perplexity: both tails go, what can not be said goes, and it says where it cut."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.prover.learning.filtering import centre
from agentgym.errors import UsageError
from tests.envs.prover.learning.conftest import transition


def numbered(count):
    return [transition(tactic=f"t{number}.") for number in range(count)]


def test_both_tails_are_dropped():
    kept = centre(numbered(6), [5.0, 1.0, 3.0, math.inf, 2.0, 4.0], 0.25, 0.75)
    assert [each.tactic for each in kept.transitions] == ["t2.", "t4.", "t5."]
    assert (kept.low, kept.high, kept.unsayable) == (2.0, 4.0, 1)
    assert centre(numbered(2), [1.0, 2.0], 0.1, 0.9).low == pytest.approx(1.1)


@given(st.lists(st.floats(1, 1e6), max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_order_is_kept_and_all_of_it_is_between_the_cuts(perplexities, one, other):
    low, high = sorted((one, other))
    every = numbered(len(perplexities))
    kept = centre(every, perplexities, low, high)
    assert kept.transitions == [each for each in every if each in kept.transitions]
    values = [perplexities[every.index(each)] for each in kept.transitions]
    assert all(kept.low <= value <= kept.high for value in values)
    assert len(centre(every, perplexities, 0, 1).transitions) == len(every)


def test_quantiles_must_be_some():
    with pytest.raises(UsageError, match="quantiles"):
        centre([], [], 0.9, 0.1)
    assert centre(numbered(1), [math.inf], 0, 1).transitions == []

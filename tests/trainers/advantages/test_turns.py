"""Turn-level estimators against numbers worked out by hand."""

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages import Batch, turn_returns
from agentgym.trainers.advantages.turns import gigpo, mt_grpo
from tests.trainers.batches import near, numbers, one_token


def test_turn_returns():
    batch = Batch([[0.0, 1.0], [0.5]], ["g", "g"], [[0, -1, 1], [0]], [True, True])
    spread = 0.5**0.5  # of the second turn, where one still earns 1 and the other has ended
    assert turn_returns(batch, eps=0)[0] == near(0.25 / spread, 0, 0.5 / spread)
    assert turn_returns(batch, eps=0)[1] == near(-0.25 / spread)


def test_turn_returns_do_not_pay_for_going_on():
    """Both earn 1 in their first turn; the second then idles for a turn, which earned nothing and must cost nothing."""
    batch = Batch([[1.0], [1.0, 0.0]], ["g", "g"], [[0], [0, 1]], [True, True])
    assert turn_returns(batch) == [[0], [0, 0]]


def test_turn_returns_stay_bounded_where_all_earn_the_same_at_different_times():
    batch = Batch([[1.0, 0.0], [0.0, 1.0]], ["g", "g"], [[0, 1]] * 2, [True, True])
    assert turn_returns(batch, eps=0) == [near(0, -0.5 / 0.5**0.5), near(0, 0.5 / 0.5**0.5)]


def test_turn_returns_of_single_turns_are_grpo():
    batch = one_token([1, 0, 0, 0])
    assert numbers(turn_returns(batch)) == near(1.499700, -0.499900, -0.499900, -0.499900)


def test_turns_that_no_reward_is_known_of_earned_nothing():
    batch = Batch([[1.0], [0.0, 0.0, 1.0]], ["g", "g"], [[0, 1, 2], [0, 1, 2]], [True, True])
    assert turn_returns(batch, eps=0)[0] == near(0, -0.5 / 0.5**0.5, -0.5 / 0.5**0.5)


def two_turns(turn, outcome) -> Batch:
    n = len(turn)
    return Batch([[t, o] for t, o in zip(turn, outcome, strict=True)], ["g"] * n, [[0, -1, 1]] * n, [True] * n)


def test_mt_grpo():
    batch = two_turns([0.5, 0, 0.5, 0.2], [1, 0, 0, 0])
    made = mt_grpo(batch)
    assert numbers(made) == near(2.315863, -1.724145, 0.316263, -0.907982)
    assert [tokens[2] for tokens in made] == near(1.499700, -0.499900, -0.499900, -0.499900)
    assert {tokens[1] for tokens in made} == {0}
    turn = [tokens[0] - tokens[2] for tokens in made]
    assert turn == near(0.816163, -1.224245, 0.816163, -0.408082)


def test_mt_grpo_without_a_tool_takes_the_whole_reward():
    batch = Batch([[0.5, 1.0], [1.5], [0.0, 0.0]], ["g"] * 3, [[0, 1], [0], [0, 1]], [True] * 3)
    assert mt_grpo(batch)[1] == near(0.5 / (0.75**0.5 + 1e-4))


def test_mt_grpo_counts_members_that_have_ended_with_0():
    """The third turn of one member is compared with the nothing that the others earned there."""
    batch = Batch([[0, 0.3, 0], [0, 0], [0, 0]], ["g"] * 3, [[0, 1, 2], [0, 1], [0, 1]], [True] * 3)
    made = mt_grpo(batch, eps=0)
    assert made == [near(0, 0.2 / 0.03**0.5, 0), [0, 0], [0, 0]]


def anchored(returns, states) -> Batch:
    """states: those that turns began in."""
    n = len(returns)
    turns = [list(range(len(each))) for each in returns]
    return Batch(returns, ["g"] * n, turns, [True] * n, states=states)


def test_gigpo():
    """Steps with returns-to-go .9, 0 and .5 begin in state "a"; episode rewards are 1, 0, 0 and 1."""
    batch = anchored(
        [[0.1, 0.9], [0.0, 0.0], [-0.5, 0.5], [0.5, 0.5]], [["s", "a"], ["s", "a"], ["s", "a"], ["s", None]]
    )
    made = gigpo(batch, eps=0)
    episode = [0.866025, -0.866025, -0.866025, 0.866025]
    later = [tokens[1] - own for tokens, own in zip(made, episode, strict=True)]
    assert later == near(0.960988, -1.034910, 0.073922, 0)
    assert made[0][1] == pytest.approx(1.827013, abs=1e-6)
    starts = [0.1 + 0.95 * 0.9, 0.0, -0.5 + 0.95 * 0.5, 0.5 + 0.95 * 0.5]
    mean = sum(starts) / 4
    spread = (sum((each - mean) ** 2 for each in starts) / 3) ** 0.5
    first = [tokens[0] - own for tokens, own in zip(made, episode, strict=True)]
    assert first == near(*[(each - mean) / spread for each in starts])


def test_gigpo_discounts_and_weighs():
    batch = anchored([[0.0, 1.0], [0.0, 0.0]], [["s", "x"], ["s", "y"]])
    made = gigpo(batch, gamma=0.5, weight=2.0, std=False)
    assert made == [near(0.5 + 2 * 0.25, 0.5), near(-0.5 - 2 * 0.25, -0.5)]


def test_gigpo_meets_a_state_again_within_a_trajectory():
    """The other member began in a state that the first never was in."""
    batch = anchored([[0.0, 0.0, 1.0], [0.0]], [["start", "s", "s"], ["elsewhere"]])
    made = gigpo(batch, gamma=0.5, std=False)
    assert made[0] == near(0.5, 0.5 + (0.5 - 0.75), 0.5 + (1 - 0.75))
    assert made[1] == near(-0.5)


def test_gigpo_knows_the_start_when_it_comes_back_to_it():
    batch = anchored([[0.0, 1.0], [0.0]], [["start", "start"], ["start"]])
    assert gigpo(batch, gamma=0.5, std=False) == [near(0.5, 0.5 + 0.5), near(-0.5 - 0.5)]


def test_gigpo_needs_states():
    with pytest.raises(UsageError, match=r"gigpo needs `Batch.states`"):
        gigpo(Batch([[1.0]], ["g"], [[0]], [True]))
    with pytest.raises(UsageError, match=r"no state of this batch is known"):
        gigpo(anchored([[0.0, 1.0], [0.0]], [[None, None], [None]]))

"""GAE and its relatives against numbers worked out by hand."""

from math import inf

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages import Batch, estimator
from agentgym.trainers.advantages.gae import (
    gae,
    lambda_returns,
    targets,
    turn_gae,
    turn_lambda_returns,
    vapo,
    vapo_lambda,
    vc_ppo,
)
from tests.trainers.batches import near, one_token

V = [0.2, 0.5, 0.6]


def three_tokens(values=V, turns=(0, 1, 2), rewards=(0.0, 0.0, 1.0)) -> Batch:
    return Batch([list(rewards)], ["g"], [list(turns)], [True], values=[list(values)])


@pytest.mark.parametrize(
    ("lam", "advantages", "returns"),
    [
        (1.0, (0.8, 0.5, 0.4), (1, 1, 1)),
        (0.95, (0.756, 0.48, 0.4), (0.956, 0.98, 1)),
        (0.8, (0.636, 0.42, 0.4), (0.836, 0.92, 1)),
        (0.0, (0.3, 0.1, 0.4), (0.5, 0.6, 1)),
    ],
)
def test_gae(lam, advantages, returns):
    assert gae(three_tokens(), lam=lam, whiten=False)[0] == near(*advantages)
    assert lambda_returns(three_tokens(), lam=lam)[0] == near(*returns)


def test_vc_ppo_takes_two_lambdas():
    assert vc_ppo(three_tokens(), whiten=False)[0] == near(0.756, 0.48, 0.4)
    assert targets("vc_ppo")(three_tokens())[0] == near(1, 1, 1)
    assert vc_ppo(three_tokens())[0] == near(1.127910, -0.349795, -0.778115)


def test_the_environments_tokens_are_stepped_over():
    batch = three_tokens([0.2, 0.3, 0.9, 0.9, 0.5], [0, 0, -1, -1, 1], [0, 1])
    assert gae(batch, whiten=False)[0] == near(0.741250, 0.675, 0, 0, 0.5)
    assert gae(three_tokens([0.2, 0.3, inf, -7, 0.5], batch.turns[0], [0, 1]), whiten=False)[0] == near(
        0.741250, 0.675, 0, 0, 0.5
    )


def test_a_turns_reward_is_paid_at_its_last_token():
    batch = three_tokens([0, 0, 0], [0, 0, 1], [1.0, 10.0])
    assert gae(batch, gamma=0.5, lam=1.0, whiten=False)[0] == near(3.0, 6.0, 10.0)


def test_the_reward_of_a_turn_without_tokens_is_not_lost():
    """Turn 1 was another actor's, and so was turn 3, after the agent's last."""
    batch = three_tokens([0, 0], [0, 2], [1.0, 2.0, 4.0, 8.0])
    assert lambda_returns(batch, gamma=0.5, lam=1.0)[0] == near(3 + 6, 12)
    assert lambda_returns(three_tokens([0], [1], [1.0, 2.0]))[0] == near(3)


def test_vapo_lambda_grows_with_length():
    assert [vapo_lambda(length) for length in (40, 100, 1000, 4000)] == near(0.5, 0.8, 0.98, 0.995)
    assert vapo_lambda(10, floor=-inf) == pytest.approx(-1)
    assert [vapo_lambda(length) for length in (0, 10, 20)] == [0, 0, 0]
    assert vapo_lambda(10, floor=0.5) == 0.5


def test_vapo_takes_lambda_from_the_sampled_tokens_alone():
    batch = three_tokens([*V, 9.0], [0, 1, 2, -1])
    assert vapo(batch, alpha=1 / 2.4, whiten=False)[0] == near(0.3 + 0.2 * (0.1 + 0.2 * 0.4), 0.1 + 0.2 * 0.4, 0.4, 0)
    assert vapo(batch, whiten=False)[0] == near(0.3, 0.1, 0.4, 0)  # 3 tokens: lambda 0
    assert targets("vapo")(batch)[0] == near(1, 1, 1, 0)


def test_turn_gae_takes_a_turn_for_one_action():
    batch = three_tokens([0.2, 9.0, -1.0, 0.5, 9.0, 0.6], [0, 0, -1, 1, 1, 2])
    assert turn_gae(batch, whiten=False)[0] == near(0.756, 0.756, 0, 0.48, 0.48, 0.4)
    assert turn_lambda_returns(batch)[0] == near(0.956, 0.956, 0, 0.98, 0.98, 1)


def test_turn_gae_with_values_from_continuations_is_vineppo():
    batch = three_tokens([0.5, 0.75, 0.25])
    assert turn_gae(batch, lam=0.0, whiten=False)[0] == near(0.25, -0.5, 0.75)


def test_whitening_is_over_the_sampled_tokens_of_valid_trajectories():
    values = [[0.2, 0.5, 0.6], [3.0, 4.0, 7.0]]
    batch = Batch([[0, 0, 1], [0, 0, 1]], ["a", "b"], [[0, 1, 2]] * 2, [True, False], values=values)
    assert gae(batch)[0] == near(1.127910, -0.349795, -0.778115)
    assert gae(batch, whiten=False)[1] == turn_gae(batch, whiten=False)[1] == [0, 0, 0]
    assert gae(batch)[1] == lambda_returns(batch)[1] == turn_gae(batch)[1] == [0, 0, 0]


@pytest.mark.parametrize("name", ["gae", "vc_ppo", "vapo", "turn_gae"])
def test_values_are_needed(name):
    with pytest.raises(UsageError, match=r"needs `Batch.values`"):
        estimator(name)(one_token([1.0]))
    with pytest.raises(UsageError, match=r"needs `Batch.values`"):
        targets(name)(one_token([1.0]))


@pytest.mark.parametrize("name", ["gae", "vc_ppo", "vapo", "turn_gae"])
def test_a_trajectory_without_tokens_gets_none(name):
    batch = Batch([[1.0], [1.0]], ["a", "b"], [[-1], []], [True, True], values=[[0.0], []])
    assert estimator(name)(batch) == targets(name)(batch) == [[0], []]

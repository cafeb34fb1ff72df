"""Advantage estimators against numbers worked out by hand."""

import pytest

from agentgym.errors import UsageError
from agentgym.rewards import Channel, Rubric
from agentgym.trainers.advantages import Batch, dr_grpo, estimator, grpo, rloo, turn_returns
from agentgym.types import Score


def one_token(rewards, groups=None, valid=None) -> Batch:
    n = len(rewards)
    return Batch([[r] for r in rewards], groups or ["g"] * n, [[0]] * n, valid or [True] * n)


def numbers(advantages) -> list[float]:
    return [tokens[0] for tokens in advantages]


def near(*values):
    return pytest.approx(values, abs=1e-6)


def test_grpo():
    assert numbers(grpo(one_token([1, 0, 0, 0]))) == near(1.499700, -0.499900, -0.499900, -0.499900)
    assert numbers(grpo(one_token([1, 0, 0, 0]), eps=1e-6)) == near(1.499997, -0.499999, -0.499999, -0.499999)
    assert numbers(grpo(one_token([0.5] * 4))) == [0, 0, 0, 0]


def test_dr_grpo_and_rloo():
    assert numbers(dr_grpo(one_token([1, 0, 0, 0]))) == near(0.75, -0.25, -0.25, -0.25)
    assert numbers(rloo(one_token([1, 0, 0, 0]))) == near(1.0, -0.333333, -0.333333, -0.333333)


def rewards_of(outcomes, steps, gated: bool) -> list[float]:
    rubric = Rubric(
        (
            Channel("outcome", "outcome", priority=1, threshold=0.0 if gated else None),
            Channel("step", "process"),
        )
    )
    pairs = zip(outcomes, steps, strict=True)
    return [rubric([Score("outcome", o), Score("step", s, turn=0)], 1).total for o, s in pairs]


STEPS = [0.2, 0.6, 0.4, 0.5]


def test_gated_and_direct_accumulation():
    gated, direct = (rewards_of([1, 0, 0, 0], STEPS, gate) for gate in (True, False))
    assert gated == near(1.2, 0, 0, 0)
    assert numbers(grpo(one_token(gated))) == near(1.499750, -0.499917, -0.499917, -0.499917)
    assert numbers(grpo(one_token(direct))) == near(1.460371, -0.208624, -0.764956, -0.486790)


def test_a_group_that_failed_altogether_teaches_nothing_when_gated_and_farming_when_not():
    gated, direct = (rewards_of([0, 0, 0, 0], STEPS, gate) for gate in (True, False))
    assert numbers(grpo(one_token(gated))) == [0, 0, 0, 0]
    assert numbers(grpo(one_token(direct))) == near(-1.316694, 1.024095, -0.146299, 0.438898)


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "rloo", "turn_returns"])
def test_failed_members_leave_the_baseline_and_get_nothing(name):
    with_failed = one_token([9, 1, 0, 0, 0], valid=[False, True, True, True, True])
    without = one_token([1, 0, 0, 0])
    assert numbers(estimator(name)(with_failed)) == [0, *numbers(estimator(name)(without))]


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "rloo", "turn_returns"])
def test_groups_too_small_for_a_baseline_are_dropped_and_counted(name):
    groups = ["a", "a", "b", "b", "c"]
    batch = one_token([1, 0, 5, 7, 3], groups, [True, True, True, False, True])
    assert batch.dropped == 2
    assert numbers(estimator(name)(batch))[2:] == [0, 0, 0]
    assert numbers(estimator(name)(batch))[0] > 0


def test_only_sampled_tokens_get_the_number():
    batch = Batch([[1.0], [0.0]], ["g", "g"], [[-1, 0, 0], [-1, 0]], [True, True])
    assert dr_grpo(batch) == [[0, 0.5, 0.5], [0, -0.5]]


def test_turn_returns():
    batch = Batch([[0.0, 1.0], [0.5]], ["g", "g"], [[0, -1, 1], [0]], [True, True])
    spread = 0.5**0.5  # of the second turn, where one still earns 1 and the other has ended
    assert turn_returns(batch, eps=0)[0] == near(0.25 / spread, 0, 0.5 / spread)
    assert turn_returns(batch, eps=0)[1] == near(-0.25 / spread)


def test_turn_returns_do_not_pay_for_going_on():
    """Both earn 1 in their first turn; the second then idles for a turn, which earned nothing and must cost nothing."""
    batch = Batch([[1.0], [1.0, 0.0]], ["g", "g"], [[0], [0, 1]], [True, True])
    assert turn_returns(batch) == [[0], [0, 0]]


def test_an_unknown_estimator_is_named():
    with pytest.raises(UsageError, match=r"'ppo'.*grpo, dr_grpo, rloo, turn_returns"):
        estimator("ppo")

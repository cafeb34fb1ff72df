"""Estimators that compare the rewards of a group, against numbers worked out by hand."""

import pytest

from agentgym.rewards import Channel, Rubric
from agentgym.trainers.advantages import Batch, dr_grpo, estimator, grpo, rloo
from agentgym.trainers.advantages.group import asymre, lite_ppo, mapo, opmd, reinforce_pp_baseline
from agentgym.types import Score
from tests.trainers.batches import near, numbers, one_token


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


def test_lite_ppo_divides_by_the_deviation_of_the_batch():
    batch = one_token([1, 0, 0, 0, 1, 1, 1, 0], ["a"] * 4 + ["b"] * 4)
    low, high = 0.467707, 1.403122
    assert numbers(lite_ppo(batch, eps=0)) == near(high, -low, -low, -low, low, low, low, -high)


def test_reinforce_pp_baseline_is_white_over_tokens():
    batch = Batch([[1.0], [0.0], [5.0]], ["g", "g", "alone"], [[0, -1, 0], [0], [0]], [True] * 3)
    made = reinforce_pp_baseline(batch)
    third = 1 / 3**0.5  # of tokens 0.5, 0.5, -0.5: mean 1/6, deviation 1/sqrt(3)
    assert made[0] == near((1 / 3) / third, 0, (1 / 3) / third)
    assert (made[1], made[2]) == (near((-2 / 3) / third), [0])


def test_mapo():
    third = -0.624998
    assert numbers(mapo(one_token([1, 0, 0, 0]))) == near(1.874995, third, third, third)
    assert numbers(mapo(one_token([1, 1, 1, 0]), eps=0)) == near(0.458333, 0.458333, 0.458333, -1.375)


def test_mapo_without_a_success_is_the_percent_deviation():
    assert numbers(mapo(one_token([0.5, 0, 0, 0]), eps=0)) == near(3, -1, -1, -1)
    assert numbers(mapo(one_token([0.5, 0, 0, 0]), eps=0, solved=0.5)) == near(1.875, -0.625, -0.625, -0.625)


def test_opmd():
    low = -0.357374
    assert numbers(opmd(one_token([1, 0, 0, 0]), tau=1.0)) == near(0.642626, low, low, low)
    assert numbers(opmd(one_token([1, 0, 0, 0]))) == near(0.75, -0.25, -0.25, -0.25)


def test_asymre():
    assert numbers(asymre(one_token([1, 0, 0, 0]))) == near(0.85, -0.15, -0.15, -0.15)

"""What holds of estimators for any rewards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.trainers.advantages import ESTIMATORS, Batch, estimator
from agentgym.trainers.advantages.gae import gae, lambda_returns, turn_gae

UNIT = st.integers(0, 20).map(lambda n: n / 20)
GROUP_NAMES = ["grpo", "dr_grpo", "rloo", "lite_ppo", "mapo", "opmd", "bnpo", "reinforce_pp_baseline"]
SILENT = [*GROUP_NAMES, "turn_returns", "mt_grpo", "gigpo", "copo"]
few = settings(max_examples=10, deadline=None)


@st.composite
def members(draw):
    """One trajectory: rewards in [0, 1] that sum to at most 1, tokens of each turn with the environment's between."""
    count = draw(st.integers(1, 3))
    rewards = [draw(UNIT) / count for _ in range(count)]
    turns = [t for turn in range(count) for t in [-1] * draw(st.integers(0, 1)) + [turn] * draw(st.integers(1, 2))]
    return {
        "rewards": rewards,
        "turns": turns,
        "groups": draw(st.sampled_from("ab")),
        "old_logprobs": [draw(st.floats(-3, -0.01)) for _ in turns],
        "values": [draw(st.floats(-1, 1)) for _ in turns],
        "states": ["s", *(draw(st.sampled_from(["s", "t", None])) for _ in rewards[1:])],
        "answers": draw(st.sampled_from("xy")),
    }


def batch_of(made, valid=None) -> Batch:
    return Batch(**{key: [each[key] for each in made] for key in made[0]}, valid=valid or [True] * len(made))


several = st.lists(members(), min_size=2, max_size=6)


@pytest.mark.parametrize("name", ESTIMATORS)
@given(made=several, order=st.randoms(use_true_random=False))
@few
def test_the_order_of_trajectories_does_not_matter(name, made, order):
    places = list(range(len(made)))
    order.shuffle(places)
    straight, shuffled = estimator(name)(batch_of(made)), estimator(name)(batch_of([made[i] for i in places]))
    for place, i in enumerate(places):
        assert shuffled[place] == pytest.approx(straight[i], abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATORS)
@given(made=several, lost=members(), place=st.integers(0, 6))
@few
def test_failed_members_change_nothing(name, made, lost, place):
    place = min(place, len(made))
    lost["rewards"] = [float("nan")] * len(lost["rewards"])
    valid = [True] * len(made)
    with_lost = estimator(name)(batch_of([*made[:place], lost, *made[place:]], [*valid[:place], False, *valid[place:]]))
    assert with_lost.pop(place) == [0] * len(lost["turns"])
    assert with_lost == estimator(name)(batch_of(made))


@pytest.mark.parametrize("name", ESTIMATORS)
@given(made=several)
@few
def test_tokens_of_the_environment_get_0_and_every_token_gets_one(name, made):
    advantages = estimator(name)(batch_of(made))
    for each, numbers in zip(made, advantages, strict=True):
        assert len(numbers) == len(each["turns"])
        assert all(number == 0 for number, turn in zip(numbers, each["turns"], strict=True) if turn < 0)


@pytest.mark.parametrize("name", SILENT)
@given(made=several, value=UNIT)
@few
def test_groups_that_all_earn_the_same_are_silent(name, made, value):
    for each in made:
        each.update(rewards=[value], turns=[0, 0], states=["s"], values=[0, 0], old_logprobs=[0, 0], groups="a")
    assert estimator(name)(batch_of(made)) == [[0, 0]] * len(made)


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "rloo", "lite_ppo", "opmd", "reinforce_pp_baseline", "asymre"])
@given(made=several, shift=st.integers(-5, 5))
@few
def test_a_constant_reward_for_all_changes_nothing(name, made, shift):
    before = estimator(name)(batch_of(made))
    for each in made:
        each["rewards"] = [*each["rewards"][:-1], each["rewards"][-1] + shift]
    for old, new in zip(before, estimator(name)(batch_of(made)), strict=True):
        assert new == pytest.approx(old, abs=1e-6)


@pytest.mark.parametrize("name", ["grpo", "lite_ppo"])
@given(made=several, scale=st.sampled_from([0.01, 3.0, 100.0]))
@few
def test_the_scale_of_rewards_does_not_matter_where_the_deviation_is_taken_out(name, made, scale):
    before = estimator(name, eps=0)(batch_of(made))
    for each in made:
        each["rewards"] = [scale * reward for reward in each["rewards"]]
    for old, new in zip(before, estimator(name, eps=0)(batch_of(made)), strict=True):
        assert new == pytest.approx(old, abs=1e-6)


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "rloo", "lite_ppo", "mapo", "opmd", "bnpo"])
@given(made=several)
@few
def test_a_groups_advantages_sum_to_0(name, made):
    batch = batch_of(made)
    numbers = [max(tokens, key=abs) for tokens in estimator(name)(batch)]
    for group in batch.members():
        scale = max(1.0, *(abs(numbers[i]) for i in group))
        assert sum(numbers[i] for i in group) == pytest.approx(0, abs=1e-9 * scale)


@given(made=several, noise=st.floats(-9, 9))
@few
def test_values_on_the_environments_tokens_do_not_matter(made, noise):
    before = gae(batch_of(made)), turn_gae(batch_of(made)), lambda_returns(batch_of(made))
    for each in made:
        each["values"] = [v if t >= 0 else noise for v, t in zip(each["values"], each["turns"], strict=True)]
    assert before == (gae(batch_of(made)), turn_gae(batch_of(made)), lambda_returns(batch_of(made)))


@given(made=several)
@few
def test_gae_with_lambda_1_is_the_return_less_the_value(made):
    for each, numbers in zip(made, gae(batch_of(made), lam=1.0, whiten=False), strict=True):
        for number, value, turn in zip(numbers, each["values"], each["turns"], strict=True):
            if turn >= 0:
                assert number == pytest.approx(sum(each["rewards"][turn:]) - value, abs=1e-9)

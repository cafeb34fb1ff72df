"""BNPO against the numbers of its authors' code."""

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages.beta import beta_density, beta_parameters, bnpo
from tests.trainers.batches import near, numbers, one_token

THREE_GROUPS = [1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0]
NAMES = ["a"] * 4 + ["b"] * 4 + ["c"] * 4


def test_the_normaliser_follows_how_the_group_means_vary():
    assert beta_parameters([0.25, 0.5, 0.75]) == near(1.5, 1.5)
    assert beta_parameters([0.25, 0.25, 1.0]) == near(1.055556, 1.055556)
    assert [beta_density(p, 1.5, 1.5) for p in (0.25, 0.5, 0.75)] == near(1.102658, 1.273240, 1.102658)


def test_bnpo():
    made = numbers(bnpo(one_token(THREE_GROUPS, NAMES)))
    assert made[:4] == near(0.680175, -0.226725, -0.226725, -0.226725)
    assert made[4:8] == near(0.392699, 0.392699, -0.392699, -0.392699)
    assert made[8:] == near(0.226725, 0.226725, 0.226725, -0.680175)


def test_rewards_are_mapped_to_the_unit_interval():
    wide = [4 * r - 2 for r in THREE_GROUPS]
    assert numbers(bnpo(one_token(wide, NAMES), low=-2, high=2)) == near(*numbers(bnpo(one_token(THREE_GROUPS, NAMES))))
    with pytest.raises(UsageError, match=r"reward 2.0 of trajectory 1 is not in \[0.0, 1.0\]"):
        bnpo(one_token([0.0, 2.0]))


def test_one_group_or_equal_groups_have_a_plain_baseline():
    assert numbers(bnpo(one_token([1, 0, 0, 0]))) == near(0.75, -0.25, -0.25, -0.25)
    assert numbers(bnpo(one_token([1, 0, 0, 1], ["a", "a", "b", "b"]))) == near(0.5, -0.5, -0.5, 0.5)


def test_groups_that_all_failed_or_all_succeeded_are_silent_beside_others():
    made = numbers(bnpo(one_token([0, 0, 1, 0, 1, 1], ["a", "a", "b", "b", "c", "c"])))
    assert made == near(0, 0, 0.5, -0.5, 0, 0)


def test_several_rewards_are_normalised_apart_and_averaged():
    other = [1, 1, 0, 0] * 3
    batch = one_token([9.0] * 12, NAMES, channels={"right": [[r] for r in THREE_GROUPS], "form": [[r] for r in other]})
    made = numbers(bnpo(batch, channels=["right", "form"]))
    right, form = (numbers(bnpo(one_token(each, NAMES))) for each in (THREE_GROUPS, other))
    assert made == near(*[(a + b) / 2 for a, b in zip(right, form, strict=True)])
    assert form[0] == 0.5


def test_channels_must_be_there():
    with pytest.raises(UsageError, match=r"bnpo with `channels` needs `Batch.channels`"):
        bnpo(one_token([1, 0]), channels=["right"])
    with pytest.raises(UsageError, match=r"no channels \['wrong'\]; there are right"):
        bnpo(one_token([1, 0], channels={"right": [[1], [0]]}), channels=["wrong"])

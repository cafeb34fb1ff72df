"""COPO against the numbers of its authors' code."""

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages.consistency import blend, copo, entropy, shrink
from tests.trainers.batches import near, numbers, one_token

REWARDS, GROUPS = [1, 1, 1, 0, 0, 0, 0, 0], ["a"] * 4 + ["b"] * 4
ANSWERS = ["7", "7", "7", "3"] + ["5"] * 4


def batch():
    return one_token(REWARDS, GROUPS, answers=ANSWERS)


def test_entropy_of_answers():
    assert entropy(ANSWERS[:4]) == pytest.approx(0.811278, abs=1e-6)
    assert entropy(ANSWERS[4:]) == 0
    assert shrink(1.0, 4) == pytest.approx(0.375)
    assert 0.75 * (1 - shrink(entropy(ANSWERS[:4]), 4)) == pytest.approx(0.521828, abs=1e-6)


def test_parts():
    parts = blend(batch(), forced=False)
    assert parts.across == near(*[0.707105] * 4, *[-0.707105] * 4)
    assert parts.weight == near(*[0.998026] * 4, *[0.000045] * 4)
    assert parts.local == near(*[0.499999] * 3, -1.499997, *[0] * 4)
    assert blend(batch()).weight == near(*[0.998026] * 4, *[0] * 4)
    assert blend(batch(), k=5, b=1, forced=False).weight == near(*[0.280172] * 4, *[0.006693] * 4)


def test_scaled_rewards_of_groups():
    """Three groups, so that the size of the scaled reward shows: .521828, 0 and 1."""
    three = one_token([*REWARDS, 1, 1], [*GROUPS, "c", "c"], answers=[*ANSWERS, "1", "1"])
    plain, scaled = blend(three).across, blend(three, scaled=True).across
    assert plain[0] == pytest.approx((0.75 - 1.75 / 3) / 0.5204166, abs=1e-5)
    mean = 1.521828 / 3
    deviation = (((0.521828 - mean) ** 2 + mean**2 + (1 - mean) ** 2) / 2) ** 0.5
    assert scaled[0] == pytest.approx((0.521828 - mean) / deviation, abs=1e-5)


def test_copo_blends():
    made = numbers(copo(batch()))
    w = 0.998026
    assert made[0] == pytest.approx(w * 0.499999 + (1 - w) * 0.707105, abs=1e-5)
    assert made[4:] == near(*[-0.707105] * 4)


def test_a_group_alone_is_compared_within_itself_only():
    assert blend(one_token([1, 0], answers=["a", "b"])).across == [0, 0]


def test_it_needs_answers():
    with pytest.raises(UsageError, match=r"copo needs `Batch.answers`"):
        copo(one_token([1, 0]))

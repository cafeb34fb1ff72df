"""Length rewards against the numbers of their papers and codes."""

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.shaping import shaper
from agentgym.trainers.shaping.lengths import band_of
from tests.trainers.batches import near
from tests.trainers.episodes import episode


def totals(shaped) -> list[float]:
    return [sum(turns) for turns in shaped]


def test_laser():
    batch = [episode(1, 1500), episode(1, 2048), episode(1, 3000), episode(0, 10), episode(0, 9999)]
    assert totals(shaper("laser", target=2048)(batch)) == [1.5, 1.5, 1.0, 0, 0]


def test_the_term_is_paid_at_the_last_turn_beside_what_the_record_paid():
    batch = [episode(1, 5, rewards=[0.25, 0.0, 1.0])]
    assert shaper("laser", target=5, alpha=0.1)(batch) == [[0.25, 0.0, 1.1]]


def test_laser_d_takes_the_target_of_the_groups_band():
    easy = [episode(1, 3000, "easy"), episode(1, 2000, "easy"), episode(0, 1, "easy")]
    middling = [episode(1, 3000, "middling"), episode(0, 1, "middling"), episode(0, 1, "middling")]
    hard = [episode(1, 5000, "hard"), *[episode(0, 1, "hard")] * 3]
    targets = {"high": 2048, "medium": 3072, "low": 5120}
    shaped = totals(shaper("laser_d", targets=targets)([*easy, *middling, *hard]))
    assert shaped == [1, 1.5, 0, 1.5, 0, 0, 1.5, 0, 0, 0]
    with pytest.raises(UsageError, match="not given: low"):
        shaper("laser_d", targets={"high": 1, "medium": 2})(easy)


def test_bands():
    assert [band_of(x / 6) for x in range(7)] == ["low", "low", "medium", "medium", "high", "high", "high"]


def test_kimi():
    right = [episode(1, n) for n in (100, 200, 300, 400)]
    terms = [total - 1 for total in totals(shaper("kimi", weight=1.0)(right))]
    assert terms == near(0.5, 0.166667, -0.166667, -0.5)
    mixed = [episode(0, 100), episode(1, 200), episode(0, 300), episode(1, 400)]
    assert totals(shaper("kimi", weight=1.0)(mixed)) == near(0, 1.166667, -0.166667, 0.5)
    assert totals(shaper("kimi", weight=1.0)([episode(1, 9)] * 2)) == [1, 1]


@pytest.mark.parametrize(
    ("options", "rewards"),
    [
        ({}, (0.954579, 0.9, 0.845421)),
        ({"a": 0.6}, (0.863738, 0.7, 0.536262)),
        ({"sample_std": True}, (0.946212, 0.9, 0.853788)),
    ],
)
def test_grpo_lambda(options, rewards):
    assert totals(shaper("grpo_lambda", **options)([episode(1, n) for n in (100, 200, 300)])) == near(*rewards)


def test_grpo_lambda_reaches_the_best_groups_and_their_right_answers_only():
    best = [episode(1, 100, "best"), episode(1, 300, "best"), episode(0, 900, "best")]
    same = [episode(1, 100, "same"), episode(1, 300, "same"), episode(0, 900, "same")]
    worse = [episode(1, 100, "worse"), episode(0, 300, "worse"), episode(0, 900, "worse")]
    shaped = totals(shaper("grpo_lambda", share=1 / 3)([*worse, *best, *same]))
    assert shaped[:3] == [1, 0, 0]
    assert shaped[3:6] == near(1 - 0.2 * 0.268941, 1 - 0.2 * 0.731059, 0)
    assert shaped[6:] == [1, 1, 0]
    both = totals(shaper("grpo_lambda", share=0.34)([*worse, *best, *same]))
    assert both[6:] == near(*shaped[3:6])


def test_grpo_lambda_of_one_length_takes_half():
    batch = [episode(1, 7), episode(1, 7), episode(0, 9)]
    assert totals(shaper("grpo_lambda")(batch)) == near(0.9, 0.9, 0)


def test_overlong():
    batch = [episode(0, n) for n in (1, 80, 90, 100, 105)]
    assert totals(shaper("overlong", limit=100, buffer=20)(batch)) == near(0, 0, -0.5, -1, -1)
    with pytest.raises(UsageError, match="0 < buffer <= limit"):
        shaper("overlong", limit=10, buffer=20)(batch)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("laser", {"target": 50}),
        ("laser_d", {"targets": {"high": 50, "medium": 60, "low": 70}}),
        ("kimi", {"weight": 1.0}),
        ("grpo_lambda", {}),
        ("overlong", {"limit": 50, "buffer": 10}),
    ],
)
def test_failed_episodes_change_nothing(name, options):
    batch = [episode(1, 40), episode(0, 90), episode(1, 60)]
    lost = [episode(status="failed", turns=2), episode(status="masked", length=999)]
    shape = shaper(name, **options)
    assert shape([lost[0], *batch, lost[1]]) == [[0, 0], *shape(batch), [0]]


def test_lengths_are_the_agents_own_tokens():
    other = episode(1, 500, actor="user")
    assert totals(shaper("overlong", limit=100, buffer=20)([other])) == [1]
    dumb = episode(1)
    dumb.turns[0].action.sample = None
    with pytest.raises(UsageError, match=r"turn 0 of g \(sample 0\) carries no tokens"):
        shaper("laser", target=5)([dumb])


def test_choosing_a_shaper():
    with pytest.raises(UsageError, match=r"'lazer' \(did you mean 'laser'\?\)"):
        shaper("lazer")
    with pytest.raises(UsageError, match=r"'laser' needs target: no default is known to fit"):
        shaper("laser")

"""Samplers of finished rollouts: dynamic sampling and policy filtration."""

from collections import Counter

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.samplers.dynamic import fill, teaches
from agentgym.trainers.samplers.filtration import filtered, probabilities, resampled
from tests.trainers.batches import near
from tests.trainers.episodes import episode

SCORES = [2, 1, -3, 0.5]


def test_groups_teach_if_their_scored_rewards_differ():
    assert teaches([episode(1), episode(0)])
    assert not teaches([episode(1), episode(1)])
    assert not teaches([episode(1), episode(0, status="failed"), episode(0, status="masked")])


class Game:
    """Task n teaches if n is odd; says what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.next = 0

    def propose(self, round: int, missing: int) -> list[int]:
        self.asked.append((round, missing))
        self.next += 4
        return list(range(self.next - 4, self.next))

    def play(self, tasks, round):
        return [episode(float(task % 2 and i), group=f"t{task}") for task in tasks for i in range(2)]


def test_a_batch_is_filled_with_groups_that_teach():
    game = Game()
    filled = fill(game.propose, game.play, 5)
    assert [t.group for t in filled.trajectories] == [f"t{n}" for n in (1, 1, 3, 3, 5, 5, 7, 7, 9, 9)]
    assert (filled.groups, filled.dropped, filled.rounds) == (5, 6, 3)
    assert game.asked == [(0, 5), (1, 3), (2, 1)]


def test_it_gives_up_after_so_many_rounds():
    game = Game()
    filled = fill(game.propose, lambda tasks, round: [episode(0), episode(0)], 2, rounds=3)
    assert (filled.trajectories, filled.groups, filled.dropped, filled.rounds) == ([], 0, 3, 3)


def test_a_group_that_failed_altogether_is_dropped_and_counted():
    filled = fill(lambda round, missing: [0], lambda tasks, round: [episode(status="failed")] * 2, 1, rounds=1)
    assert (filled.groups, filled.dropped) == (0, 1)


def test_filters():
    assert filtered(SCORES, "best") == [0]
    assert filtered(SCORES, "best_worst") == [0, 2]
    others = Counter(filtered(SCORES, "best_random", seed)[1] for seed in range(300))
    assert set(others) == {1, 2, 3} and min(others.values()) > 60
    assert filtered([1.0], "best_random") == [0] and filtered([], "best") == []
    with pytest.raises(UsageError, match="no filter 'worst'"):
        filtered(SCORES, "worst")  # type: ignore[arg-type]


def test_probabilities():
    assert probabilities(SCORES, "pow") == near(0.280702, 0.070175, 0.631579, 0.017544)
    assert probabilities(SCORES, "max_min") == near(0.5, 0, 0.5, 0)
    assert probabilities(SCORES, "max_random") == near(0.571429, 0.142857, 0.142857, 0.142857)
    assert probabilities([0, 0], "pow") == [0.5, 0.5] and probabilities([], "pow") == []
    with pytest.raises(UsageError, match="no weighing 'max'"):
        probabilities(SCORES, "max")  # type: ignore[arg-type]


def test_resampling():
    drawn = Counter(resampled(SCORES, "pow", 4000))
    assert [drawn[i] / 4000 for i in range(4)] == pytest.approx(probabilities(SCORES, "pow"), abs=0.03)
    assert resampled(SCORES, "pow", 9, seed=1) == resampled(SCORES, "pow", 9, seed=1) != resampled(SCORES, "pow", 9)

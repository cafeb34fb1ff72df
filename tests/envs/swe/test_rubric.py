"""What an episode of software repair can be paid for: no number of turns is worth a class."""

import pytest

from agentgym import Score
from agentgym.envs.swe.rubric import OUTCOME_VALUES, rubric


def paid(outcome: float, turns: int) -> float:
    """A member of a class who is paid for every turn, and for a file looked at."""
    process = [Score(name, 1.0, turn) for turn in range(turns) for name in ("format", "edit")]
    scores = [*process, Score("file", 1.0, 0), Score("outcome", outcome), Score("resolved", float(outcome == 2))]
    return rubric()(scores, turns).total


def test_farming_is_worth_less_than_the_next_class():
    _, empty, fails, passes = OUTCOME_VALUES
    assert paid(fails, 400) < paid(passes, 1)
    assert paid(empty, 400) == 0.0
    assert paid(fails, 5) == pytest.approx(1 + 5 * 0.07 + 0.1)  # what short episodes earn is as it was

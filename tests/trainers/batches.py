"""Small batches for estimators: no tests here."""

import pytest

from agentgym.trainers.advantages import Batch


def one_token(rewards, groups=None, valid=None, **fields) -> Batch:
    """Trajectories of one turn and one sampled token."""
    n = len(rewards)
    return Batch([[r] for r in rewards], groups or ["g"] * n, [[0]] * n, valid or [True] * n, **fields)


def numbers(advantages) -> list[float]:
    """Of each trajectory, the first token's."""
    return [tokens[0] for tokens in advantages]


def near(*values):
    return pytest.approx(values, abs=1e-6)

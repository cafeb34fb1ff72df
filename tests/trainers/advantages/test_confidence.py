"""LENS against the numbers of its paper."""

from math import log

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages import Batch
from agentgym.trainers.advantages.confidence import calibrate, confidence, lens
from tests.trainers.batches import near, numbers, one_token


def sure(rewards, confidences):
    return one_token(rewards, old_logprobs=[[log(c)] for c in confidences])


def test_all_wrong():
    c = [0.8, 0.6, 0.5, 0.4]
    assert calibrate([0, 0, 0, 0], c) == near(-0.25, -0.15, -0.113636, -0.083333)
    assert numbers(lens(sure([0, 0, 0, 0], c), alpha=1.0)) == near(-0.100758, -0.000758, 0.035606, 0.065909)
    assert numbers(lens(sure([0, 0, 0, 0], c))) == near(-0.025189, -0.000189, 0.008902, 0.016477)


def test_all_wrong_and_unsure():
    """The difficulty is twice the largest confidence, however small."""
    assert calibrate([0, 0], [0.1, 0.05]) == near(-0.5, -0.166667)


def test_mixed():
    c = [0.7, 0.6, 0.5, 0.4]
    assert calibrate([1, 0, 0, 0], c) == near(1, -0.068182, -0.054348, -0.041667)
    assert numbers(lens(sure([1, 0, 0, 0], c))) == near(1.499681, -0.525392, -0.499165, -0.475124)


def test_all_right_teaches_nothing():
    assert numbers(lens(sure([1, 1, 1], [0.9, 0.2, 0.1]))) == [0, 0, 0]


def test_confidence_is_the_geometric_mean_over_sampled_tokens():
    assert confidence([log(0.9), -50.0, log(0.4)], [0, -1, 1]) == pytest.approx(0.6)
    assert confidence([-1e6], [0]) > 0
    assert confidence([-1.0], [-1]) == 1


def test_what_it_needs():
    with pytest.raises(UsageError, match=r"lens needs `Batch.old_logprobs`"):
        lens(one_token([1, 0]))
    with pytest.raises(UsageError, match=r"rewards in \[0, 1\], got 1.5"):
        lens(sure([1.5, 0], [0.5, 0.5]))
    with pytest.raises(UsageError, match=r"`old_logprobs` of trajectory 1 \(group 'g'\) .* not finite"):
        Batch([[1.0], [0.0]], ["g", "g"], [[0], [0]], [True, True], old_logprobs=[[0.0], [float("nan")]])

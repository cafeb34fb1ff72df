"""What a batch refuses, and how estimators are chosen."""

import subprocess
import sys

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.advantages import ESTIMATORS, Batch, estimator
from tests.trainers.batches import near, numbers, one_token


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_rewards_that_are_no_number_are_refused_by_name(bad):
    with pytest.raises(UsageError, match=r"`rewards` of trajectory 2 \(group 'g'\) holds a number that is not finite"):
        one_token([1.0, 0.0, bad])
    assert one_token([1.0, 0.0, bad], valid=[True, True, False]).dropped == 0


def test_lengths_that_contradict_each_other_are_refused():
    with pytest.raises(UsageError, match=r"2 trajectories have rewards, but `values` has 1 entries"):
        one_token([1.0, 0.0], values=[[0.0]])
    with pytest.raises(UsageError, match=r"`values` of trajectory 1 .* each of its tokens"):
        one_token([1.0, 0.0], values=[[0.0], [0.0, 0.0]])
    with pytest.raises(UsageError, match=r"`states` of trajectory 0 .* more entries than its 1 turns"):
        one_token([1.0, 0.0], states=[["s", "t"], ["s"]])
    with pytest.raises(UsageError, match=r"`channels\['form'\]` of trajectory 0"):
        one_token([1.0, 0.0], channels={"form": [[1.0, 1.0], [1.0]]})


def test_names_and_options():
    assert numbers(estimator("grpo", eps=1e-6)(one_token([1, 0, 0, 0])))[0] == pytest.approx(1.499997, abs=1e-6)
    assert numbers(estimator("dr_grpo")(one_token([1, 0]))) == near(0.5, -0.5)
    with pytest.raises(UsageError, match=r"'bnop' \(did you mean 'bnpo'\?\).*grpo, dr_grpo, rloo, turn_returns"):
        estimator("bnop")
    with pytest.raises(UsageError, match=r"'grpo' has no option 'epss' \(did you mean 'eps'\?\): there are eps"):
        estimator("grpo", epss=0.1)
    with pytest.raises(UsageError, match=r"'rloo' has no option 'eps': it has none"):
        estimator("rloo", eps=0.1)


def test_choosing_methods_loads_no_torch():
    code = "import sys; from agentgym.trainers import advantages, controllers, samplers, shaping; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_an_empty_batch_is_no_error():
    for each in ESTIMATORS.values():
        assert each(Batch([], [], [], [], [], [], [], {}, [])) == []

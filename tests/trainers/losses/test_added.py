"""The critic's loss and the losses that are added to a policy's, against numbers worked out by hand."""

import pytest
import torch

from agentgym.errors import UsageError
from agentgym.trainers.losses.auxiliary import chord, expert_nll
from agentgym.trainers.losses.value import value_loss


@pytest.mark.parametrize(("form", "value"), [("plain", 1.264747), ("phi", 0.108356), ("p", 0.197062)])
def test_imitation_of_an_expert(form, value):
    lp = torch.tensor([[0.05, 0.5, 0.9, 0.1]]).log().requires_grad_()
    mask = torch.tensor([[1, 1, 1, 0]])
    loss = expert_nll(lp, mask, form=form)
    assert loss.item() == pytest.approx(value, abs=1e-6)
    loss.backward()
    weights = {"plain": [1, 1, 1, 0], "phi": [0.0475, 0.25, 0.09, 0], "p": [0.05, 0.5, 0.9, 0]}[form]
    assert lp.grad.tolist()[0] == pytest.approx([-w / 3 for w in weights], abs=1e-6)


def test_chord_mixes():
    assert chord(torch.tensor(1.0), torch.tensor(3.0), mu=0.25).item() == 1.5
    with pytest.raises(UsageError, match="no form 'sft'"):
        expert_nll(torch.zeros(1, 1), torch.ones(1, 1), form="sft")  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "loss"), [(0.9, 0.045), (0.6, 0.08)])
def test_value_loss(value, loss):
    ones = torch.ones(1, 1)
    got, _ = value_loss(value * ones, 0.5 * ones, ones, ones)
    assert got.item() == pytest.approx(loss, abs=1e-6)


def test_value_loss_without_clipping_and_its_statistics():
    values, returns = torch.tensor([[0.9, 0.1, 50.0]]), torch.tensor([[1.0, 0.0, -50.0]])
    mask = torch.tensor([[1, 1, 0]])
    loss, statistics = value_loss(values, values, returns, mask, clip=None)
    assert loss.item() == pytest.approx(0.5 * 0.01)
    assert statistics == {"value_clipped": 0, "explained_variance": pytest.approx(0.96)}
    _, statistics = value_loss(values, values, torch.zeros_like(values), mask)
    assert statistics["explained_variance"] == 0
    _, statistics = value_loss(values, torch.full_like(values, 0.5), torch.tensor([[1.0, 1.0, 0.0]]), mask)
    assert statistics["value_clipped"] == 0.5

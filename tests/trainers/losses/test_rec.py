"""REC and OPMD against the numbers of their authors' code."""

from math import exp, log

import pytest
import torch

from agentgym.errors import UsageError
from agentgym.trainers.losses.rec import kept, opmd, rec
from tests.trainers.losses.test_clip import batch_of

RATIOS = [0.3, 0.7, 0.9, 1.3, 3.5]


@pytest.mark.parametrize(
    ("advantage", "region", "keep"),
    [
        (1, "one_side", [1, 1, 1, 0, 0]),
        (1, "ring", [1, 0, 1, 0, 0]),
        (-1, "one_side", [0, 0, 1, 1, 1]),
        (-1, "ring", [0, 0, 1, 0, 1]),
        (1, "two_side", [0, 0, 1, 0, 0]),
        (-1, "two_side", [0, 0, 1, 0, 0]),
        (-1, "all", [1] * 5),
    ],
)
def test_regions(advantage, region, keep):
    assert kept(torch.tensor(RATIOS), torch.full((5,), float(advantage)), region).int().tolist() == keep


def test_rec_has_no_importance_weight_unless_asked():
    for options, weight in (
        ({}, 1.0),
        ({"weight": "importance"}, 1.1),
        ({"weight": "importance", "ceiling": 1.05}, 1.05),
        ({"weight": "advantage", "temperature": 2.0}, exp(0.25)),
    ):
        batch = batch_of([[log(1.1), log(1.5)]], [[0.5, 0.5]])
        loss, statistics = rec(batch, **options)
        loss.backward()
        assert batch.lp.grad.tolist()[0] == pytest.approx([-weight * 0.5 / 2, 0])
        assert statistics["kept"] == 0.5


def test_regularisers_reach_tokens_that_are_left_out():
    batch = batch_of([[0.5]], [[1.0]])
    assert rec(batch, k2=2.0)[0].item() == pytest.approx(2 * 0.25)
    assert rec(batch, forward=2.0)[0].item() == pytest.approx(-2 * -0.5)


def test_opmd():
    batch = batch_of([[log(3.5)]], [[0.642626]])
    loss, _ = opmd(batch)
    assert loss.item() == pytest.approx(-0.642626 * (log(3.5) - 1) / 2)


def test_what_is_refused():
    batch = batch_of([[0.0]], [[1.0]])
    with pytest.raises(UsageError, match="no region 'both'"):
        rec(batch, region="both")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="needs `temperature`"):
        rec(batch, weight="advantage")
    with pytest.raises(UsageError, match="no weight 'x'"):
        rec(batch, weight="x")  # type: ignore[arg-type]

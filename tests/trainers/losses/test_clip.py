"""The clip family, averaging and KL estimators against numbers worked out by hand."""

from math import exp, log

import pytest
import torch

from agentgym.errors import UsageError
from agentgym.trainers.losses import LossBatch, policy_loss
from agentgym.trainers.losses.aggregate import aggregate
from agentgym.trainers.losses.clip import cispo, clipped, copo, gspo, sequence_ratio, surrogate
from agentgym.trainers.losses.kl import kl

HOWS = ["token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "constant"]


def batch_of(log_ratios, advantages, mask=None, **fields) -> LossBatch:
    """lp_old is -1 everywhere; `lp` is a leaf with gradient."""
    lp = (torch.tensor(log_ratios, dtype=torch.float64) - 1).requires_grad_()
    tokens = torch.ones(lp.shape) if mask is None else torch.tensor(mask)
    return LossBatch(lp, torch.full_like(lp, -1.0).detach(), torch.tensor(advantages, dtype=lp.dtype), tokens, **fields)


@pytest.mark.parametrize(
    ("ratio", "advantage", "high", "dual", "gain"),
    [
        (1.25, 1, 0.2, None, 1.2),
        (1.25, 1, 0.28, None, 1.25),
        (1.4, 1, 0.28, None, 1.28),
        (0.7, -1, 0.2, None, -0.8),
        (1.4, -1, 0.2, None, -1.4),
        (5.0, -1, 0.2, 3.0, -3.0),
        (5.0, 1, 0.2, 3.0, 1.2),
        (0.5, -1, 0.2, 3.0, -0.8),
    ],
)
def test_the_surrogate(ratio, advantage, high, dual, gain):
    batch = batch_of([[log(ratio)]], [[advantage]])
    loss, _ = clipped(batch, low=0.2, high=high, dual=dual)
    assert loss.item() == pytest.approx(-gain, abs=1e-6)


def test_kl_estimators():
    lp, lp_ref = torch.tensor(-0.3), torch.tensor(-0.5)
    values = [kl(lp, lp_ref, kind).item() for kind in ("k1", "k2", "k3")]
    assert values == pytest.approx([0.2, 0.02, 0.018731], abs=1e-6)
    with pytest.raises(UsageError, match="k1, k2, k3"):
        kl(lp, lp_ref, "k4")  # type: ignore[arg-type]


def test_beta_adds_the_kl_to_the_reference():
    batch = batch_of([[0.0]], [[0.0]], lp_ref=torch.tensor([[-1.2]]))
    assert clipped(batch, beta=0.5)[0].item() == pytest.approx(0.5 * 0.018731, abs=1e-6)
    with pytest.raises(UsageError, match=r"clipped with beta needs `LossBatch.lp_ref`"):
        clipped(batch_of([[0.0]], [[0.0]]), beta=0.5)


def two_sequences():
    losses = torch.tensor([[-1.0, -1.0, 9.0, 9.0, float("nan")], [1.0, 1.0, 1.0, 1.0, 9.0]])
    return losses, torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])


def test_averaging():
    values = [aggregate(*two_sequences(), how, 8).item() for how in HOWS]
    assert values == pytest.approx([0.333333, 0.0, 1.0, 0.125], abs=1e-6)


@pytest.mark.parametrize("how", HOWS)
def test_a_sequence_without_trained_tokens_counts_nowhere(how):
    losses, mask = two_sequences()
    more = torch.cat([losses, losses[:1]]), torch.cat([mask, torch.zeros(1, 5, dtype=mask.dtype)])
    assert aggregate(*more, how, 8) == aggregate(losses, mask, how, 8)
    assert aggregate(losses, torch.zeros_like(mask), how, 8) == 0


@pytest.mark.parametrize(("how", "value"), list(zip(HOWS, [2.0, 2.0, 4.0, 0.5], strict=True)))
def test_averages_of_a_sequence_alone(how, value):
    assert aggregate(torch.tensor([[1.0, 3.0]]), torch.ones(1, 2), how, 8) == value


def test_averaging_refuses():
    with pytest.raises(UsageError, match="needs `constant`"):
        aggregate(*two_sequences(), "constant")
    with pytest.raises(UsageError, match="no aggregation 'mean'"):
        aggregate(*two_sequences(), "mean")  # type: ignore[arg-type]


def test_averages_agree_where_sequences_are_of_one_length():
    losses, mask = torch.arange(6.0).reshape(2, 3), torch.ones(2, 3)
    token, seq, total, constant = (aggregate(losses, mask, how, 3).item() for how in HOWS)
    assert token == seq == total / 3 == constant


def test_gspo_has_one_ratio_a_sequence():
    batch = batch_of([[0.02, -0.01, 0.05, 9.0]], [[1.0] * 4], [[1, 1, 1, 0]])
    assert sequence_ratio(batch).item() == pytest.approx(1.020201, abs=1e-6)
    assert batch.log_ratio.sum().exp().item() == pytest.approx(1.061837, abs=1e-6)
    assert gspo(batch, low=0.1, high=0.1)[0].item() == pytest.approx(-1.020201, abs=1e-6)
    assert gspo(batch)[0].item() == pytest.approx(-1.0004, abs=1e-6)


def test_gspo_of_tokens_has_the_same_gradient_where_the_advantage_is_one():
    gradients = []
    for token in (False, True):
        batch = batch_of([[0.02, -0.01, 0.05], [-0.1, 0.1, 0.3]], [[1.0] * 3, [-2.0] * 3], [[1, 1, 1], [1, 1, 0]])
        gspo(batch, low=0.5, high=0.5, token=token)[0].backward()
        gradients.append(batch.lp.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0][1, 2] == 0 != gradients[0][1, 1]


def test_cispo_bounds_the_weight_and_silences_nobody():
    batch = batch_of([[log(4.0), log(0.5)]], [[1.0, -1.0]])
    loss, statistics = cispo(batch, ceiling=2.0)
    loss.backward()
    assert batch.lp.grad.tolist()[0] == pytest.approx([-2.0 / 2, 0.5 / 2])
    assert statistics["clipped_high"] == 0.5
    with pytest.raises(UsageError, match=r"'cispo' needs ceiling"):
        policy_loss("cispo")


def test_copo_blends_two_losses():
    batch = batch_of([[log(1.5)]], [[1.0]])
    with pytest.raises(UsageError, match=r"copo needs `LossBatch.across`"):
        copo(batch)
    batch.across, batch.weight = torch.tensor([-1.0]), torch.tensor([0.75])
    loss, _ = copo(batch)
    assert loss.item() == pytest.approx(0.75 * -1.2 + 0.25 * 1.5)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("name", "options"), [("clipped", {}), ("clipped", {"dual": 3.0}), ("cispo", {"ceiling": 2.0}), ("rec", {})]
)
def test_at_ratio_1_the_gradient_is_the_plain_policy_gradient(name, options, how):
    advantages, mask = [[1.0, -0.5, 7.0], [0.3, 0.0, -2.0]], [[1, 1, 0], [1, 1, 1]]
    batch, plain = (batch_of([[0.0] * 3] * 2, advantages, mask) for _ in range(2))
    policy_loss(name, aggregation=how, constant=5, **options)(batch)[0].backward()
    aggregate(-plain.advantages * plain.lp, plain.mask, how, 5).backward()
    torch.testing.assert_close(batch.lp.grad, plain.lp.grad)
    assert batch.lp.grad[0, 2] == 0 != batch.lp.grad[0, 0]


def test_what_was_not_sampled_may_be_anything():
    wild = batch_of([[0.1, float("inf")], [0.2, float("nan")]], [[1.0, 1.0], [-1.0, float("nan")]], [[1, 0], [1, 0]])
    loss, statistics = clipped(wild)
    loss.backward()
    assert wild.lp.grad[:, 1].tolist() == [0, 0]
    assert loss.item() == pytest.approx((-exp(0.1) + exp(0.2)) / 2)
    assert all(value == value for value in statistics.values())


def test_statistics_say_what_was_clipped_and_how_far_the_policy_moved():
    _, statistics = clipped(batch_of([[log(1.5), log(1.5), log(0.5), 0.0]], [[1.0, -1.0, -1.0, 1.0]]))
    assert (statistics["clipped_high"], statistics["clipped_low"], statistics["ratio"]) == (0.25, 0.25, 1.125)
    assert statistics["kl_old"] == pytest.approx(sum(r - 1 - log(r) for r in (1.5, 1.5, 0.5, 1)) / 4)
    _, inside = clipped(batch_of([[log(1.1), log(0.9), log(1.5)]], [[-1.0, 1.0, 0.0]]))
    assert (inside["clipped_high"], inside["clipped_low"]) == (0, 0)
    assert surrogate(torch.tensor(1.5), torch.tensor(1.0), 0.2, 0.2) == pytest.approx(-1.2)


def test_an_unknown_loss_is_named():
    with pytest.raises(UsageError, match=r"no policy loss 'dicso' \(did you mean 'disco'\?\)"):
        policy_loss("dicso")

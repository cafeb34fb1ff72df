"""DisCO and DRPO against the numbers of their authors' code."""

from math import exp, inf

import pytest
import torch

from agentgym.errors import UsageError
from agentgym.trainers.losses import LossBatch
from agentgym.trainers.losses.contrast import disco, drpo, group_objective

SCORES, REWARDS = [-0.5, -0.8, -0.6, -1.0], [1.0, 1.0, 0.0, 0.0]


def batch_of(scores, rewards, groups=None, gap=0.0, lengths=None) -> LossBatch:
    """Every token of a sequence has the sequence's score as its lp; lp_old is `gap` more."""
    lengths = lengths or [2] * len(scores)
    mask = torch.tensor([[1.0] * n + [0.0] * (max(lengths) - n) for n in lengths])
    lp = torch.tensor(scores, dtype=torch.float64).unsqueeze(-1).expand(-1, max(lengths)).clone().requires_grad_()
    zeros = torch.zeros_like(lp).detach()
    return LossBatch(
        lp, lp.detach() + gap, zeros, mask, groups=groups or ["g"] * len(scores), rewards=torch.tensor(rewards)
    )


@pytest.mark.parametrize(("tau", "value"), [(inf, 0.15), (10.0, 0.148000), (1.0, 0.130132)])
def test_disco(tau, value):
    loss, statistics = disco(batch_of(SCORES, REWARDS), tau=tau)
    assert loss.item() == pytest.approx(-value, abs=1e-6)
    assert statistics["objective"] == pytest.approx(value, abs=1e-6)


def test_disco_pushes_down_the_likelier_wrong_answer_more():
    batch = batch_of(SCORES, REWARDS)
    disco(batch)[0].backward()
    assert batch.lp.grad.sum(-1).tolist() == pytest.approx([-0.5, -0.5, 0.509999, 0.490001], abs=1e-6)


def test_disco_with_ratios():
    """Score exp(lp - lp_old), tau 1 unless said."""
    batch = batch_of(SCORES, REWARDS)
    batch.lp_old = batch.lp.detach() - torch.tensor([[0.1], [0.2], [0.3], [0.4]])
    loss, _ = disco(batch, score="l_ratio", beta=0.0)
    right, wrong = (exp(0.1) + exp(0.2)) / 2, torch.tensor([exp(0.3), exp(0.4)])
    assert loss.item() == pytest.approx(-(right - wrong.exp().mean().log().item()), abs=1e-6)


def test_the_constraint_acts_beyond_delta_only():
    within, beyond = (disco(batch_of(SCORES, REWARDS, gap=gap), tau=inf) for gap in (5e-5, 2e-4))
    assert within[0].item() == pytest.approx(-0.15, abs=1e-12)
    assert beyond[0].item() + 0.15 == pytest.approx(2e-5, abs=1e-9)
    assert beyond[1]["penalty"] == pytest.approx(2e-5, abs=1e-9)
    batch = batch_of(SCORES, REWARDS, gap=2e-4)
    disco(batch, tau=inf)[0].backward()
    assert batch.lp.grad.sum().item() == pytest.approx(-0.1, abs=1e-6)  # the bracket, .1, has no gradient


def test_drpo_is_under_the_same_constraint():
    within, beyond = (drpo(batch_of(SCORES, REWARDS, gap=gap), longest=2)[1]["penalty"] for gap in (1e-4, 2e-4))
    assert (within, beyond) == (pytest.approx(0, abs=1e-12), pytest.approx(2e-5, abs=1e-9))


def test_groups_with_one_side_are_skipped_but_counted():
    both = batch_of([*SCORES, -3.0, -4.0], [*REWARDS, 0.0, 0.0], ["a"] * 4 + ["b"] * 2)
    loss, statistics = disco(both, tau=inf)
    assert (loss.item(), statistics["skipped_groups"]) == (pytest.approx(-0.075), 1)
    alone = batch_of([-1.0], [1.0])
    loss, _ = disco(alone)
    loss.backward()
    assert loss.item() == 0 and alone.lp.grad.abs().sum() == 0


def test_sequences_without_tokens_take_no_part():
    """A failed wrong answer, and a group of nothing else."""
    with_failed = batch_of([*SCORES, -9.0, -9.0], [*REWARDS, 0.0, 0.0], ["g"] * 5 + ["h"], lengths=[2] * 4 + [0, 0])
    assert disco(with_failed)[0].item() == pytest.approx(-0.148, abs=1e-6)


def test_drpo_prefers_the_short_among_the_right():
    batch = batch_of(SCORES, REWARDS, lengths=[2, 4, 2, 8])
    loss, _ = drpo(batch, longest=8)
    assert loss.item() == pytest.approx(-0.275243, abs=1e-6)
    loss.backward()
    assert batch.lp.grad.sum(-1)[:2].tolist() == pytest.approx([-0.924142, -0.075858], abs=1e-6)


def test_drpo_never_shows_the_length_to_wrong_answers():
    losses = {drpo(batch_of(SCORES, REWARDS, lengths=[2, 4, n, 8]), longest=8)[0].item() for n in (1, 5, 8)}
    assert max(losses) - min(losses) < 1e-12


def test_the_objective_of_a_group():
    right, wrong = torch.tensor([-0.5, -0.8]), torch.tensor([-0.6, -1.0])
    assert group_objective(right, wrong, torch.zeros(2), 10.0).item() == pytest.approx(0.148000, abs=1e-6)
    assert -10 * ((wrong / 10).exp().mean().log().item()) == pytest.approx(0.798000, abs=1e-6)


def test_what_is_refused():
    batch = batch_of(SCORES, REWARDS)
    with pytest.raises(UsageError, match="no score 'lp'"):
        disco(batch, score="lp")  # type: ignore[arg-type]
    batch.rewards = None
    with pytest.raises(UsageError, match=r"DisCO needs `LossBatch.rewards`"):
        drpo(batch, longest=8)

"""Policy losses of ours in the trainer: TRL's own numbers where TRL has the loss, whatever rows and parts there are."""

import pytest

torch = pytest.importorskip("torch")

from trl import GRPOTrainer  # noqa: E402

from agentgym.errors import UsageError  # noqa: E402
from agentgym.trainers import grpo  # noqa: E402
from agentgym.trainers.losses import POLICY_LOSSES, policy_loss  # noqa: E402
from agentgym.trainers.objective import count, unit_of, whole_groups  # noqa: E402
from tests.trainers.test_grpo import cut_into_turns, trainer_of  # noqa: E402

PROMPTS = [{"prompt": f"k{n}"} for n in range(4) for _ in range(4)]
OPTIONS = {
    "clipped": {},
    "cispo": {"ceiling": 1.02},
    "gspo": {"low": 0.01, "high": 0.01},
    "copo": {},
    "rec": {"k2": 0.1},
    "opmd": {},
    "disco": {},
    "drpo": {"longest": 40},
}


def trainer_with_batch(toy, tmp_path, **options):
    """A trainer, and a batch whose policy has moved since it was sampled, with rewards that differ."""
    torch.manual_seed(0)
    trainer = trainer_of(toy, tmp_path, policy_loss="clipped", max_completion_length=40, **options)
    trainer.shape = lambda played: [[(7 * i + 3 * t) % 5 for t in range(len(p.turns))] for i, p in enumerate(played)]
    trainer.model.train()
    batch = trainer._generate_and_score_completions(PROMPTS)
    trainer.play.engine.close()
    trainer.current_gradient_accumulation_steps = 1
    owners = batch["owners"].float()
    batch["outcomes"] = (owners % 2 == 0).float()
    batch["across"], batch["weight"] = owners / 16, 1 - owners / 20
    moved = 0.05 * torch.sin(3 * batch["completion_ids"] + owners.unsqueeze(-1))
    batch["old_per_token_logps"] = batch["sampling_per_token_logps"] + moved
    batch["ref_per_token_logps"] = batch["sampling_per_token_logps"] - moved
    return trainer, batch


def choose(trainer, batch, name, **options):
    trainer.args.policy_loss, trainer.policy_loss = name, policy_loss(name, **options)
    trainer.unit = unit_of(name, options)
    batch["units"] = count(trainer.unit, batch).float()


def learnt(trainer, losses) -> tuple[float, torch.Tensor]:
    trainer.model.zero_grad()
    total = sum(losses)
    total.backward()
    return float(total.detach()), torch.cat(
        [p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]
    )


def same(one, other):
    assert one[0] == pytest.approx(other[0], rel=1e-4, abs=1e-6)
    largest = float(other[1].abs().max())
    assert largest > 0
    torch.testing.assert_close(one[1], other[1], atol=1e-3 * largest, rtol=1e-3)


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_where_trl_has_the_loss_the_numbers_are_trls(toy, tmp_path, beta):
    trainer, batch = trainer_with_batch(toy, tmp_path)
    trainer.beta = beta
    kinds = {"dapo": {}, "grpo": {"aggregation": "seq_mean_token_mean"}}
    kinds["dr_grpo"] = {"aggregation": "constant", "constant": 40}
    for loss_type, options in kinds.items():
        trainer.loss_type, trainer.epsilon_low, trainer.epsilon_high = loss_type, 0.02, 0.03
        theirs = learnt(trainer, [GRPOTrainer._compute_loss(trainer, trainer.model, batch)])
        choose(trainer, batch, "clipped", low=0.02, high=0.03, **options)
        same(learnt(trainer, [trainer._compute_loss(trainer.model, batch)]), theirs)
    if not beta:
        trainer.loss_type, trainer.epsilon_high = "cispo", 1.02
        theirs = learnt(trainer, [GRPOTrainer._compute_loss(trainer, trainer.model, batch)])
        choose(trainer, batch, "cispo", ceiling=1.02)
        same(learnt(trainer, [trainer._compute_loss(trainer.model, batch)]), theirs)
        trainer.loss_type, trainer.importance_sampling_level = "grpo", "sequence"
        trainer.epsilon_low = trainer.epsilon_high = 0.01
        theirs = learnt(trainer, [GRPOTrainer._compute_loss(trainer, trainer.model, batch)])
        choose(trainer, batch, "gspo", low=0.01, high=0.01)
        same(learnt(trainer, [trainer._compute_loss(trainer.model, batch)]), theirs)


@pytest.mark.slow
def test_every_loss_takes_a_trajectory_in_rows_as_it_takes_it_in_one(toy, tmp_path, monkeypatch):
    """Sequences of our losses are trajectories: ratios, scores and lengths are of all their rows together."""
    whole, batch = trainer_with_batch(toy, tmp_path)
    monkeypatch.setattr(grpo, "trained_rows", cut_into_turns)
    rows, cut = trainer_with_batch(toy, tmp_path)
    assert len(rows._layout.lines) > len(whole._layout.lines)
    first = {int(owner): index for index, owner in reversed(list(enumerate(batch["owners"])))}
    for old in ("old_per_token_logps", "ref_per_token_logps"):  # the same numbers, wherever a token has come to lie
        numbers = whole._layout.gather(batch[old].tolist())
        cut[old] = rows._on_lines(own_tokens(numbers, whole._layout, rows._layout), cut["completion_ids"])
    for key in ("across", "weight", "outcomes"):
        cut[key] = batch[key][[first[int(owner)] for owner in cut["owners"]]]
    assert set(OPTIONS) == set(POLICY_LOSSES)
    for name, options in OPTIONS.items():
        choose(whole, batch, name, **options)
        choose(rows, cut, name, **options)
        same(
            learnt(rows, [rows._compute_loss(rows.model, cut)]),
            learnt(whole, [whole._compute_loss(whole.model, batch)]),
        )


def own_tokens(numbers, one, other):
    """Of each trajectory the numbers of its sampled tokens, where these lie in another layout."""
    made = []
    for mine, turns, there in zip(numbers, one.turns, other.turns, strict=True):
        left = iter([number for number, turn in zip(mine, turns, strict=True) if turn >= 0])
        made.append([next(left) if turn >= 0 else 0.0 for turn in there])
    return made


@pytest.mark.slow
@pytest.mark.parametrize("rows", [False, True])
def test_parts_of_a_batch_add_up_to_the_whole(toy, tmp_path, monkeypatch, rows):
    if rows:
        monkeypatch.setattr(grpo, "trained_rows", cut_into_turns)
    trainer, batch = trainer_with_batch(toy, tmp_path)
    shuffled = torch.randperm(len(batch["owners"]), generator=torch.Generator().manual_seed(1))
    lines = {key: value[shuffled] for key, value in batch.items() if value.dim()}
    additive = {name: options for name, options in OPTIONS.items() if name not in ("disco", "drpo")}
    additive["disco"] = {"delta": 1e9}  # its constraint looks at the mean of a part: not the parts' mean
    for name, options in additive.items():
        choose(trainer, batch, name, **options)
        halves = [
            {key: value.chunk(2)[half] for key, value in lines.items()}
            | {key: value for key, value in batch.items() if not value.dim()}
            for half in range(2)
        ]
        parts = whole_groups(halves)
        assert sorted(torch.cat([part["owners"] for part in parts]).tolist()) == sorted(batch["owners"].tolist())
        assert not set(parts[0]["groups"].tolist()) & set(parts[1]["groups"].tolist())
        trainer.args.steps_per_generation = trainer.current_gradient_accumulation_steps = 1
        theirs = learnt(trainer, [trainer._compute_loss(trainer.model, batch)])
        trainer.args.steps_per_generation = trainer.current_gradient_accumulation_steps = 2
        same(learnt(trainer, [trainer._compute_loss(trainer.model, part) for part in parts]), theirs)


def test_groups_that_do_not_fill_the_parts_are_refused(toy, tmp_path):
    """Four episodes of one group, two a step: no part could hold whole groups."""
    trainer = trainer_of(
        toy, tmp_path, policy_loss="gspo", per_device_train_batch_size=2, gradient_accumulation_steps=2
    )
    with pytest.raises(UsageError, match="make per_device_train_batch_size a multiple of num_generations"):
        trainer.train()

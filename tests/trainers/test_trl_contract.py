"""What AgentGRPOTrainer leans on in TRL, beyond what TRL documents. A new version of TRL is adopted when this passes."""

from importlib.metadata import version

import pytest

torch = pytest.importorskip("torch")

from trl import GRPOTrainer  # noqa: E402

from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer  # noqa: E402
from agentgym.trainers.learner import Learner  # noqa: E402
from agentgym.trainers.ppo import AgentPPOTrainer  # noqa: E402


@pytest.fixture
def trainer(toy, tmp_path):
    args = AgentGRPOConfig(
        output_dir=str(tmp_path),
        max_steps=1,
        per_device_train_batch_size=8,
        num_generations=4,
        max_new_tokens=8,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    return AgentGRPOTrainer(toy.model(), toy.spec, list(toy.tasks), CompactCodec(toy.tokenizer), args)


def batch_of(trainer, ids=("k0", "k1")):
    trainer.model.train()
    return trainer._generate_and_score_completions([{"prompt": id} for id in ids for _ in range(4)])


def gradient(trainer, batch) -> torch.Tensor:
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.zero_grad()
    trainer._compute_loss(trainer.model, batch).backward()
    return torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])


def test_the_pinned_version():
    assert version("trl").startswith("1.16.")


def test_the_batch_has_what_we_read_and_replace(trainer):
    batch = batch_of(trainer)
    needed = {"prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "tool_mask", "advantages"}
    assert needed <= batch.keys()
    assert batch["advantages"].shape == batch["completion_ids"].shape
    assert "agent/tokens_differing" in trainer._metrics["train"]


def test_the_loss_takes_one_advantage_a_token_and_masks_what_was_not_sampled(trainer):
    batch = batch_of(trainer)
    mask = (batch["completion_mask"] * batch["tool_mask"]).float()
    assert 0 < mask.sum() < mask.numel()
    batch["advantages"] = torch.zeros_like(mask)
    assert gradient(trainer, batch).abs().max() == 0
    batch["advantages"] = (1 - mask) * 5
    assert gradient(trainer, batch).abs().max() == 0
    batch["advantages"] = mask.clone()
    whole = gradient(trainer, batch)
    first, second = mask.clone(), mask.clone()
    first[:4], second[4:] = 0, 0
    parts = []
    for part in (first, second):
        batch["advantages"] = part
        parts.append(gradient(trainer, batch))
    assert whole.abs().max() > 0
    torch.testing.assert_close(parts[0] + parts[1], whole, atol=1e-5, rtol=1e-3)


def test_prompts_arrive_in_whole_groups(trainer, monkeypatch):
    seen = []
    play = trainer._play
    trainer._play = lambda prompts: seen.append(prompts) or play(prompts)
    trainer.train()
    (prompts,) = seen
    assert prompts == [prompts[0]] * 4 + [prompts[4]] * 4
    assert prompts[0] != prompts[4]


def test_the_overrides_of_ppo():
    own = {name for name in vars(AgentPPOTrainer) if hasattr(GRPOTrainer, name) and not name.startswith("__")}
    assert own == {"create_optimizer", "save_model", "_load_from_checkpoint", "_compute_loss"}


def test_the_one_deep_override():
    """`_get_per_token_logps_and_entropies` is only timed; the rest reads checkpoints and gives prompts an order."""
    own = {name for name in vars(AgentGRPOTrainer) if name.startswith("_") and hasattr(GRPOTrainer, name)}
    timed = {"_get_per_token_logps_and_entropies"}
    around = {"_load_from_checkpoint", "_get_train_sampler"}
    assert {name for name in own if not name.startswith("__")} == {"_generate_and_score_completions"} | timed | around


def test_the_overrides_of_the_learner():
    own = {name for name in vars(Learner) if hasattr(GRPOTrainer, name) and not name.startswith("__")}
    assert own == {"_prepare_inputs", "_compute_loss"}


def test_parts_of_a_batch_are_kept_and_cut_where_the_learner_looks(trainer):
    """It cuts `_buffered_inputs` anew, and takes the part of `_step`."""
    trainer.model.train()
    trainer.args.steps_per_generation = 2
    part = trainer._prepare_inputs([{"prompt": id} for id in ("k0", "k1") for _ in range(4)])
    assert trainer._step == 0 and len(trainer._buffered_inputs) == 2
    assert part is trainer._buffered_inputs[0] and part["completion_ids"].size(0) == 4
    assert trainer._buffered_inputs[0]["num_items_in_batch"].dim() == 0

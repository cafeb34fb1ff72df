"""AgentPPOTrainer: the critic learns, ahead of the policy if asked, is saved and resumed; what is refused."""

import json

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import UsageError  # noqa: E402
from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.trainers.critic import Critic  # noqa: E402
from agentgym.trainers.ppo import AgentPPOConfig, AgentPPOTrainer  # noqa: E402


def trainer_of(toy, tmp_path, steps=2, model=None, **options):
    arguments = {
        "max_steps": steps,
        "learning_rate": 1e-3,
        "critic_learning_rate": 3e-3,
        "per_device_train_batch_size": 16,
        "max_new_tokens": 8,
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "lr_scheduler_type": "constant",
        **options,
    }
    args = AgentPPOConfig(output_dir=str(tmp_path), **arguments)
    torch.manual_seed(1)
    trainer = AgentPPOTrainer(model or toy.model(), toy.spec, list(toy.tasks), CompactCodec(toy.tokenizer), args)
    trainer.shape = length_counts
    return trainer


def length_counts(played):
    """A reward that a random policy gets at times, and that can be foreseen from the turn: 1 for each effective call."""
    return [[1.0 if turn.info.effective else 0.0 for turn in p.turns] or [0.0] for p in played]


def logged(trainer, name):
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def weights(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


@pytest.mark.slow
def test_the_critic_learns_before_the_policy_moves(toy, tmp_path):
    rate = {"critic_learning_rate": 1e-2, "value_clip": None}
    trainer = trainer_of(toy, tmp_path, steps=25, value_steps=25, advantage="vc_ppo", num_iterations=1, **rate)
    before = weights(trainer.model)
    trainer.train()
    assert torch.equal(weights(trainer.model), before)
    losses = logged(trainer, "agent/value_loss")
    assert losses[-1] < losses[0] / 2
    assert logged(trainer, "agent/explained_variance")[-1] > 0.2 > logged(trainer, "agent/explained_variance")[0]
    assert logged(trainer, "agent/tokens_differing") == [0.0] * 25


@pytest.mark.slow
def test_a_frozen_critic_stays_as_it_is(toy, tmp_path):
    first = trainer_of(toy, tmp_path / "first", steps=2, value_steps=2)
    first.train()
    first.save_model()
    second = trainer_of(toy, tmp_path / "second", critic_frozen=True, critic_from=str(tmp_path / "first"))
    taught = weights(second.critic)
    assert torch.equal(taught, weights(first.critic))
    policy = weights(second.model)
    second.train()
    assert torch.equal(weights(second.critic), taught)
    assert not torch.equal(weights(second.model), policy)


@pytest.mark.parametrize("advantage", ["gae", "vapo", "turn_gae"])
def test_policy_and_critic_learn_side_by_side(toy, tmp_path, advantage):
    trainer = trainer_of(toy, tmp_path, advantage=advantage, positive_coef=0.1)
    policy, critic = weights(trainer.model), weights(trainer.critic)
    trainer.train()
    assert not torch.equal(weights(trainer.model), policy)
    assert not torch.equal(weights(trainer.critic), critic)
    assert len(logged(trainer, "agent/value_loss")) == 2


def test_values_are_those_before_each_token(toy):
    model = toy.model()
    critic = Critic(model)
    torch.nn.init.normal_(critic.head.weight)
    ids = torch.randint(5, 100, (2, 9))
    values = critic(ids, torch.ones_like(ids), 4)
    changed = ids.clone()
    changed[:, 6] = 5 + (changed[:, 6] + 1) % 90
    after = critic(changed, torch.ones_like(ids), 4)
    assert values.shape == (2, 4)
    torch.testing.assert_close(after[:, :2], values[:, :2])  # V before ids 5 and 6
    assert (after[:, 2:] - values[:, 2:]).abs().min() > 0


@pytest.mark.slow
def test_resume_gives_the_same_numbers(toy, tmp_path):
    options = {"steps": 4, "num_iterations": 1, "save_strategy": "steps", "save_steps": 2}
    straight = trainer_of(toy, tmp_path / "a", **options)
    straight.train()
    again = trainer_of(toy, tmp_path / "b", **options)
    again.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))
    # TRL shuffles the lines of a batch, and sums depend on their order in the last digits
    torch.testing.assert_close(weights(again.critic), weights(straight.critic), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(weights(again.model), weights(straight.model), atol=1e-5, rtol=1e-4)


def test_an_adapter_has_a_whole_critic(toy, tmp_path):
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(toy.model(), LoraConfig(r=4, target_modules="all-linear"))
    trainer = trainer_of(toy, tmp_path, model=model)
    critic = weights(trainer.critic)
    base = trainer.model.get_base_model().get_input_embeddings().weight.detach().clone()
    trainer.train()
    assert not torch.equal(weights(trainer.critic), critic)
    assert torch.equal(trainer.model.get_base_model().get_input_embeddings().weight, base)
    trainer.save_model()
    assert (tmp_path / "critic.safetensors").is_file() and (tmp_path / "adapter_config.json").is_file()


def test_a_checkpoint_without_its_critic_or_with_anothers_is_refused(toy, tmp_path):
    with pytest.raises(UsageError, match="holds no critic"):
        trainer_of(toy, tmp_path, critic_from=str(tmp_path))
    Critic(toy.model(hidden=32)).save(tmp_path)
    with pytest.raises(UsageError, match="the critic of another model"):
        trainer_of(toy, tmp_path, critic_from=str(tmp_path))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"advantage": "grpo"}, "no critic target 'grpo'"),
        ({"critic_frozen": True}, "frozen before it has learnt"),
        ({"target_options": {"lambda": 1}}, "lambda"),
    ],
)
def test_bad_options_are_refused(toy, tmp_path, options, says):
    with pytest.raises(UsageError, match=says):
        trainer_of(toy, tmp_path, **options)


def test_the_log_can_be_read_as_json(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, steps=1)
    trainer.train()
    json.dumps(trainer.state.log_history, allow_nan=False)

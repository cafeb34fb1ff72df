"""Does it learn: a small model, warm-started on a fallible expert, gets clearly better by GRPO. Under a minute."""

import pytest

from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.summary import summary


@pytest.mark.slow
def test_sampled_success_rises(toy, tmp_path):
    codec, tasks, model = CompactCodec(toy.tokenizer), list(toy.tasks), toy.model()
    with Engine() as engine:
        taught = Play(toy.spec, toy.noisy_oracle(0.5), engine, seed=1)(tasks, 100)
        rows = sft.taught_rows(taught, codec, toy.spec)
        sft.train(model, rows, toy.tokenizer.pad_token_id, sft.SFTConfig(steps=600, lr=4e-3))

        def success(temperature: float, group: int) -> float:
            policy = LocalPolicy(model, codec, max_new_tokens=8, temperature=temperature)
            return summary(Play(toy.spec, policy, engine, seed=7)(tasks, group))["success"]

        assert success(0.0, 2) > 0.6, "the warm start failed: nothing can be said about GRPO"
        before = success(1.0, 16)
        args = AgentGRPOConfig(
            output_dir=str(tmp_path),
            max_steps=30,
            learning_rate=1e-3,
            lr_scheduler_type="constant",
            per_device_train_batch_size=64,
            max_new_tokens=8,
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
            seed=3,
        )
        AgentGRPOTrainer(model, toy.spec, tasks, codec, args, engine=engine).train()
        after = success(1.0, 16)
    assert after >= before + 0.3, (before, after)

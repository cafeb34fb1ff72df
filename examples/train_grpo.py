"""GRPO on a toy: a small model, first taught by imitation, then trained on verified rewards. Needs the extra `train`."""

import tempfile

import torch
from own_environment import SPEC

from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model, train_tokenizer
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.summary import summary

torch.set_num_threads(1)  # faster for a model this small

with Engine() as engine, tempfile.TemporaryDirectory() as folder:
    tasks = engine.run(engine.runtime.tasks(SPEC).take("train", 16))
    taught = Play(SPEC, SPEC.policies["oracle"](), engine)(tasks, 4)
    texts = [m.text for t in taught for turn in t.turns for m in turn.observation.messages]
    tokenizer = train_tokenizer([*texts, "guess 1 2 3 4 5 6 7 8 9 0"], size=400)
    codec, model = CompactCodec(tokenizer), small_model(tokenizer, hidden=64, layers=2, context=256)
    sft.train(model, sft.taught_rows(taught, codec, SPEC), tokenizer.pad_token_id, sft.SFTConfig(steps=100, lr=4e-3))

    def success() -> float:
        policy = LocalPolicy(model, codec, max_new_tokens=8)
        return summary(Play(SPEC, policy, engine, seed=7)(tasks, 4))["success"]

    print(f"after imitation: success {success():.2f}")
    args = AgentGRPOConfig(
        output_dir=folder,
        max_steps=12,
        learning_rate=3e-4,
        lr_scheduler_type="constant",
        logging_strategy="no",
        per_device_train_batch_size=64,
        max_new_tokens=8,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    AgentGRPOTrainer(model, SPEC, tasks, codec, args, engine=engine).train()
    print(f"after GRPO: success {success():.2f}")

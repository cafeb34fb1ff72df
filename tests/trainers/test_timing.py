"""What a step spends its time on: the parts are measured where they happen, and add up."""

import asyncio
import time

import pytest

torch = pytest.importorskip("torch")

from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.policies.watch import Watch  # noqa: E402
from agentgym.trainers.ppo import AgentPPOConfig, AgentPPOTrainer  # noqa: E402
from tests.trainers.test_grpo import logged, trainer_of  # noqa: E402

PARTS = ("time_generate", "time_environment", "time_learn")


def test_time_that_overlaps_counts_once():
    async def one(watch, seconds):
        with watch:
            await asyncio.sleep(seconds)

    async def several():
        watch = Watch()
        await asyncio.gather(one(watch, 0.05), one(watch, 0.15), one(watch, 0.1))
        await asyncio.sleep(0.2)
        await one(watch, 0.05)
        return watch.seconds

    assert 0.2 <= asyncio.run(several()) < 0.39


def slow_spec(toy, seconds):
    class Slow(toy.env):
        async def on_reset(self):
            await asyncio.sleep(seconds)
            return await super().on_reset()

    return toy.make_spec(Slow)


@pytest.mark.slow
def test_waiting_for_environments_is_told_from_the_rest(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, slow_spec(toy, 0.5), num_iterations=2, gradient_accumulation_steps=2)
    trainer.train()
    steps = {name: logged(trainer, f"agent/{name}") for name in ("time_step", "overhead_share", *PARTS)}
    first, second = ({name: values[i] for name, values in steps.items()} for i in range(2))
    assert 0.5 <= first["time_environment"] < first["time_step"]
    for step in (first, second):
        assert step["time_learn"] > 0
        assert sum(step[name] for name in PARTS) <= step["time_step"]
        busy = step["time_generate"] + step["time_learn"]
        assert step["overhead_share"] == pytest.approx(1 - busy / step["time_step"])
    assert first["time_generate"] > 0
    assert second["time_generate"] == second["time_environment"] == 0  # the batch is learnt from twice


@pytest.mark.slow
def test_forward_passes_before_the_loss_are_learning(toy, tmp_path, monkeypatch):
    """PPO asks its critic, and for log-probabilities, while the batch is made."""
    args = AgentPPOConfig(
        output_dir=str(tmp_path),
        max_steps=1,
        per_device_train_batch_size=8,
        max_new_tokens=8,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    ppo = AgentPPOTrainer(toy.model(), toy.spec, list(toy.tasks), CompactCodec(toy.tokenizer), args)
    forward = ppo.critic.forward
    monkeypatch.setattr(ppo.critic, "forward", lambda *a: (time.sleep(0.3), forward(*a))[1])
    ppo.train()
    assert logged(ppo, "agent/time_learn")[0] > 0.3 * 2
    assert logged(ppo, "agent/time_environment")[0] < 0.3


@pytest.mark.slow
def test_a_run_after_one_that_was_interrupted_is_measured(toy, tmp_path, monkeypatch):
    trainer = trainer_of(toy, tmp_path, steps=1)
    loss = trainer._compute_loss

    def fails(*args):
        monkeypatch.setattr(trainer, "_compute_loss", loss)
        raise KeyboardInterrupt

    trainer._owns_engine = False
    monkeypatch.setattr(trainer, "_compute_loss", fails)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    trainer.train()
    trainer.play.engine.close()
    assert logged(trainer, "agent/time_learn")[0] > 0

"""What test_ranks.py compares: one step of GRPO and one of PPO on the toy, in one process or, by torchrun, in several.

`python two_ranks.py FOLDER` writes what came out, rank by rank. No tests here.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from agentgym.errors import AgentGymError, PolicyError, UsageError
from agentgym.policies.codec import CompactCodec
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model, train_tokenizer
from agentgym.trainers.ppo import AgentPPOConfig, AgentPPOTrainer
from tests.trainers.conftest import SIZE, Shelf, make_spec
from tests.trainers.test_pipeline import lenient_spec

LINES, GROUP = 12, 4
"""Three groups of four: on two ranks the second group lies on both."""


def weights(module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def trainer_of(folder: Path, ranks: int, critic: bool, **options):
    torch.set_num_threads(1)
    texts = ["key 0123456789 value nothing ok bye get put done No tool was called. Call one of:"] * 3
    tokenizer = train_tokenizer(texts, 340)
    kind, make = (AgentPPOConfig, AgentPPOTrainer) if critic else (AgentGRPOConfig, AgentGRPOTrainer)
    args = kind(
        output_dir=str(folder),
        max_steps=1,
        learning_rate=0.5,
        optim="sgd",
        max_grad_norm=1.0,
        lr_scheduler_type="constant",
        per_device_train_batch_size=LINES // ranks,
        num_generations=GROUP,
        num_iterations=1,
        max_new_tokens=8,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        **({"critic_learning_rate": 0.5, "positive_coef": 0.1} if critic else {}),
        **options,
    )
    model = small_model(tokenizer, hidden=64, layers=2, context=128)
    spec = lenient_spec(SimpleNamespace(env=Shelf, make_spec=make_spec)) if "policy_loss" in options else make_spec()
    tasks = list(spec.tasks(spec.config, None)._tasks.values())
    assert len(tasks) == SIZE
    trainer = make(model, spec, tasks, CompactCodec(tokenizer), args)
    trainer.shape = lambda played: [[(7 * i + 3 * t) % 5 for t in range(len(p.turns))] for i, p in enumerate(played)]
    return trainer


OWN_LOSSES = {
    "clipped": {},
    "gspo": {},
    "copo": {"advantage": "copo"},
    "disco": {},
}


def step(folder: Path, ranks: int, critic: bool = False, **options) -> dict:
    """One step: the weights after it, what was sampled, and this process's advantages and numbers."""
    trainer = trainer_of(folder, ranks, critic, **options)
    seen = {}
    evidence = trainer._evidence

    def keep(output):
        batch = evidence(output)
        if critic:  # the untrained policy never succeeds: some lines of the first half are imitated all the same
            owners = [line.trajectory for line in trainer._layout.own]
            output["successes"] = torch.tensor([float(owner in (1, 2)) for owner in owners])
        seen["values"] = batch.values
        return batch

    trainer._evidence = keep
    advantages = trainer._advantages
    trainer._advantages = lambda ids, batch: seen.setdefault("advantages", advantages(ids, batch))
    trainer.train()
    (log,) = [entry for entry in trainer.state.log_history if "agent/tokens_differing" in entry]
    return {
        "before": weights(small_model(trainer.codec.tokenizer, hidden=64, layers=2, context=128)),
        "weights": weights(trainer.accelerator.unwrap_model(trainer.model)),
        "critic": weights(trainer.critic) if critic else None,
        "sampled": [[turn.action.sample.ids for turn in t.turns] for t in trainer._batch],
        "groups": [trainer._batch[line.trajectory].group for line in trainer._layout.own],
        "advantages": [line[line != 0].tolist() for line in seen["advantages"]],
        "values": seen["values"],
        "log": {name: log[name] for name in ("agent/reward", "agent/turns", "agent/rows", "agent/dropped_groups")},
    }


def failures(folder: Path, ranks: int) -> dict[str, str]:
    """What every rank says when the last one can not sample, and when it alone runs into an error."""
    trainer = trainer_of(folder, ranks, critic=False, max_failed_share=0.1)
    last = trainer.ranks.index == ranks - 1

    async def broken(context, n=1):
        raise PolicyError("this rank's sampler is gone")

    def work() -> list:
        if last:
            raise UsageError("only here")
        return []

    if last:
        trainer.play.policy = SimpleNamespace(name="broken", privileged=False, act=broken)
    return {"sampling": said_by(trainer.train), "alone": said_by(lambda: trainer.ranks.all(work))}


def said_by(work) -> str:
    try:
        work()
    except AgentGymError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main() -> None:
    import torch.distributed as dist

    folder = Path(sys.argv[1])
    made = {"grpo": step(folder / "grpo", 2), "ppo": step(folder / "ppo", 2, critic=True)}
    for loss, options in OWN_LOSSES.items():
        made[loss] = step(folder / loss, 2, policy_loss=loss, **options)
    made["failures"] = failures(folder / "failures", 2)
    torch.save(made, folder / f"rank{dist.get_rank()}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()

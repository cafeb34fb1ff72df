"""AgentGRPOTrainer: exact tokens, failed episodes, what is refused, and nothing left behind when it is interrupted."""

import signal

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import AgentGymError, SandboxError, TooManyFailures, UsageError  # noqa: E402
from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.row import Row, rows  # noqa: E402
from agentgym.tasks import Task  # noqa: E402
from agentgym.trainers import grpo  # noqa: E402
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer  # noqa: E402
from agentgym.trainers.layout import Line  # noqa: E402


def trainer_of(toy, tmp_path, spec=None, steps=2, tasks=None, expert=None, **options):
    arguments = {
        "max_steps": steps,
        "learning_rate": 1e-3,
        "per_device_train_batch_size": 16,
        "num_generations": 4,
        "max_new_tokens": 8,
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        **options,
    }
    args = AgentGRPOConfig(output_dir=str(tmp_path), **arguments)
    codec = CompactCodec(toy.tokenizer)
    return AgentGRPOTrainer(toy.model(), spec or toy.spec, tasks or list(toy.tasks), codec, args, expert=expert)


def logged(trainer, name: str) -> list[float]:
    return [entry[name] for entry in trainer.state.log_history if name in entry]


@pytest.mark.parametrize("advantage", ["grpo", "turn_returns"])
def test_it_trains_on_the_sampled_tokens(toy, tmp_path, advantage, monkeypatch):
    trainer = trainer_of(toy, tmp_path, advantage=advantage, keep_rollouts=True)
    batches = []
    score = AgentGRPOTrainer._generate_and_score_completions
    monkeypatch.setattr(
        AgentGRPOTrainer,
        "_generate_and_score_completions",
        lambda self, inputs: batches.append((score(self, inputs), self._batch)) or batches[-1][0],
    )
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0, 0.0]
    for output, trajectories in batches:
        assert len({trajectory.group for trajectory in trajectories}) == 4
        for index, trajectory in enumerate(trajectories):
            sampled = [id for turn in trajectory.turns for id in turn.action.sample.ids]
            mask = (output["completion_mask"] * output["tool_mask"])[index].bool()
            assert output["completion_ids"][index][mask].tolist() == sampled
            assert (output["advantages"][index][~mask] == 0).all()
            (row,) = rows(trajectory)
            assert (
                row.ids[: row.prompt_len] == output["prompt_ids"][index][output["prompt_mask"][index].bool()].tolist()
            )
    assert {turn.action.sample.policy_version for turn in batches[1][1][0].turns} == {1}
    assert len(list((tmp_path / "rollouts").glob("*/trajectories.jsonl"))) == 2


def test_altered_tokens_stop_training(toy, tmp_path, monkeypatch):
    trainer = trainer_of(toy, tmp_path)
    parts = Line.parts
    monkeypatch.setattr(
        Line, "parts", lambda self, filler: (lambda p, c, *rest: (p, [*c[:-1], 7], *rest))(*parts(self, filler))
    )
    with pytest.raises(AgentGymError, match="not those that were sampled"):
        trainer.train()


def failing_spec(toy, fails):
    class Failing(toy.env):
        async def artefacts(self):
            if fails(self):
                raise SandboxError("the host lost it")
            return await super().artefacts()

    return toy.make_spec(Failing)


def test_failed_episodes_weigh_nothing(toy, tmp_path):
    """k0 fails always, k1 five times: of its four members, each tried twice, some fail and some do not."""
    tried = []

    def fails(env) -> bool:
        tried.append(env.task.id)
        return env.task.id == "k0" or (env.task.id == "k1" and tried.count("k1") <= 5)

    spec = failing_spec(toy, fails)
    trainer = trainer_of(toy, tmp_path, spec, steps=1, tasks=list(toy.tasks)[:4], max_failed_share=0.9)
    seen = {}
    advantages = trainer._advantages
    trainer._advantages = lambda ids, batch: seen.setdefault("a", advantages(ids, batch))
    trainer.train()
    failed = [trajectory.status == "failed" for trajectory in trainer._batch]
    of_k1 = [lost for lost, trajectory in zip(failed, trainer._batch, strict=True) if trajectory.key.task == "k1"]
    assert 0 < sum(of_k1) < 4
    assert logged(trainer, "agent/failed") == [(4 + sum(of_k1)) / 16]
    assert logged(trainer, "agent/dropped_groups")[0] >= 1
    for lost, line, numbers in zip(failed, trainer._layout.lines, seen["a"], strict=True):
        assert (line.row is None) == lost
        assert not lost or (numbers == 0).all()


def test_too_many_failures_stop_the_run(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, failing_spec(toy, lambda env: True))
    with pytest.raises(TooManyFailures, match=r"16 of 16.*the host lost it|8 of 8.*the host lost it"):
        trainer.train()


def forgetful_spec(toy):
    """After every turn the agent is told the key anew, in a context that begins again."""

    class Forgetful(toy.env):
        async def on_turn(self):
            from agentgym import Message, Observation

            return None if self.ended else Observation((Message("user", f"key {self.key}"),), fresh=True)

    return toy.make_spec(Forgetful)


def test_contexts_that_begin_again_make_several_rows(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, forgetful_spec(toy), num_iterations=2, gradient_accumulation_steps=2)
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0]
    lines = trainer._layout.lines
    assert len(lines) > len(trainer._batch) and len(lines) % 8 == 0
    for index, trajectory in enumerate(trainer._batch):
        mine = [line.row for line in lines if line.trajectory == index and line.row is not None]
        assert [turn for row in mine for turn in dict.fromkeys(row.turn) if turn >= 0] == list(
            range(len(trajectory.turns))
        )


def cut_into_turns(trajectory):
    """The same tokens with a row a turn: what came before a turn is its prompt."""
    (row,) = rows(trajectory)
    cut = []
    for turn in sorted(set(row.turn) - {-1}):
        first, last = row.turn.index(turn), len(row.turn) - 1 - row.turn[::-1].index(turn)
        mask = [0] * first + row.mask[first : last + 1]
        only = [n if bit else 0.0 for n, bit in zip(row.old_logprobs, mask, strict=False)]
        turns = [n if bit else -1 for n, bit in zip(row.turn, mask, strict=False)]
        cut.append(Row(row.ids[: last + 1], first, mask, only, turns, row.traj))
    return cut


@pytest.mark.slow
@pytest.mark.parametrize("loss_type", ["grpo", "dapo", "dr_grpo", "cispo"])
@pytest.mark.parametrize("advantage", ["grpo", "turn_returns"])
def test_rows_of_a_trajectory_weigh_what_it_weighs(toy, tmp_path, monkeypatch, loss_type, advantage):
    """The same episodes in one row and in a row a turn: the same gradient."""
    gradients = []
    for cut in (None, cut_into_turns):
        if cut:
            monkeypatch.setattr(grpo, "trained_rows", lambda trajectory: cut_into_turns(trajectory))
        torch.manual_seed(0)
        trainer = trainer_of(toy, tmp_path, loss_type=loss_type, advantage=advantage, max_completion_length=32)
        trainer.shape = lambda played: [
            [(7 * i + 3 * t) % 5 for t in range(len(p.turns))] for i, p in enumerate(played)
        ]
        trainer.model.train()
        batch = trainer._generate_and_score_completions([{"prompt": f"k{n}"} for n in range(4) for _ in range(4)])
        trainer.current_gradient_accumulation_steps = 1
        trainer._compute_loss(trainer.model, batch).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]))
        trainer.play.engine.close()
        assert (len(trainer._layout.lines) > 16) == bool(cut)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-6, rtol=1e-3)


def test_a_loss_that_can_not_be_divided_is_refused(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, forgetful_spec(toy), loss_type="bnpo")
    with pytest.raises(UsageError, match="loss_type 'bnpo' can not be taken over several rows"):
        trainer.train()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"advantage": "grop"}, "no advantage estimator 'grop'"),
        ({"advantage": "gae"}, "needs a critic: use AgentPPOConfig"),
        ({"top_p": 0.9}, "top_p"),
        ({"use_vllm": True}, "use_vllm"),
    ],
)
def test_bad_options_are_refused_before_anything_runs(toy, tmp_path, options, says):
    with pytest.raises(UsageError, match=says):
        trainer_of(toy, tmp_path, **options)


def test_held_out_tasks_are_refused(toy, tmp_path):
    with pytest.raises(UsageError, match="held-out tasks among those to train on: secret"):
        trainer_of(toy, tmp_path, tasks=[Task("secret", "toy/shelf-v0", {"key": 1}, split="test")])


def test_an_interrupt_closes_every_environment(toy, tmp_path):
    class Interrupting(toy.env):
        async def on_reset(self):
            heard = await super().on_reset()
            if len(type(self).opened) == 20:
                signal.raise_signal(signal.SIGINT)
            return heard

    trainer = trainer_of(toy, tmp_path, toy.make_spec(Interrupting), steps=50)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert len(Interrupting.opened) >= 20
    assert set(Interrupting.opened) <= set(Interrupting.closed)
    assert trainer.play.engine.runtime.leaks == []


def test_rewards_can_be_shaped_without_touching_the_record(toy, tmp_path):
    trainer = trainer_of(toy, tmp_path, steps=1)
    trainer.shape = lambda played: [[float(i % 4 == 0)] + [0.0] * (len(p.turns) - 1) for i, p in enumerate(played)]
    seen = {}
    advantages = trainer._advantages
    trainer._advantages = lambda ids, batch: seen.setdefault("a", advantages(ids, batch))
    trainer.train()
    assert seen["a"].max() > 1.4
    assert all(trajectory.record.total <= 1.15 for trajectory in trainer._batch)

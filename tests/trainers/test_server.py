"""Training on rollouts of a server in a process of its own: weights reach it, stale data is told, it may die."""

import threading

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import PolicyError, TooManyFailures, UsageError  # noqa: E402
from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer  # noqa: E402
from agentgym.trainers.models import save  # noqa: E402
from agentgym.trainers.staleness import bounded  # noqa: E402
from agentgym.trainers.weights import ReloadingServer, write_untied  # noqa: E402
from tests.servers import Answer, serving  # noqa: E402
from tests.trainers.conftest import Shelf, make_spec  # noqa: E402
from tests.trainers.episodes import episode  # noqa: E402
from tests.vllm_like import child  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Nobody's weights are those that are trained, until they are pushed."""
    from agentgym.trainers.models import small_model, train_tokenizer

    texts = ["key 0123456789 value nothing ok bye get put done No tool was called. Call one of:"] * 3
    tokenizer = train_tokenizer(texts, 340)
    other = small_model(tokenizer, hidden=64, layers=2, context=128, seed=9)
    with child(save(tmp_path_factory.mktemp("served"), other, tokenizer)) as server:
        yield server


@pytest.fixture
def up(served):
    if served.process.poll() is not None:
        served.start()
    served.wait()
    return served


def trainer_of(toy, tmp_path, server, spec=None, steps=2, wait_s=60.0, max_retries=0, **options):
    arguments = {
        "max_steps": steps,
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 8,
        "num_generations": 4,
        "max_new_tokens": 8,
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "lr_scheduler_type": "constant",
        "server": {
            "url": server.url,
            "model": "m",
            "folder": str(tmp_path / "weights"),
            "wait_s": wait_s,
            "max_retries": max_retries,
        },
        **options,
    }
    args = AgentGRPOConfig(output_dir=str(tmp_path), **arguments)
    trainer = AgentGRPOTrainer(toy.model(), spec or toy.spec, list(toy.tasks), CompactCodec(toy.tokenizer), args)
    trainer.shape = lambda played: [
        [(7 * i + 3 * t) % 5 for t in range(len(p.turns) or 1)] for i, p in enumerate(played)
    ]
    return trainer


def logged(trainer, name: str) -> list[float]:
    return [entry[name] for entry in trainer.state.log_history if name in entry]


@pytest.mark.slow
def test_what_is_sampled_there_is_trained_here(toy, tmp_path, up, monkeypatch):
    trainer = trainer_of(toy, tmp_path, up)
    batches = []
    score = AgentGRPOTrainer._generate_and_score_completions
    monkeypatch.setattr(
        AgentGRPOTrainer,
        "_generate_and_score_completions",
        lambda self, inputs: batches.append((score(self, inputs), self._batch, self._layout)) or batches[-1][0],
    )
    pushes = up.ask("/weight_info")["pushes"]
    trainer.train()
    assert up.ask("/weight_info")["pushes"] == pushes + 2
    assert logged(trainer, "agent/tokens_differing") == [0.0, 0.0]
    assert logged(trainer, "agent/staleness") == logged(trainer, "agent/stale") == [0.0, 0.0]
    assert max(logged(trainer, "agent/sampler_gap")) < 1e-4
    for step, (output, batch, layout) in enumerate(batches):
        assert {turn.action.sample.policy_version for t in batch for turn in t.turns} == {step}
        for line, old in zip(layout.lines, output["old_per_token_logps"], strict=True):
            said = line.row.old_logprobs[line.row.prompt_len :]
            assert old[: len(said)].tolist() == pytest.approx(said)
    assert [folder.name for folder in (tmp_path / "weights").iterdir()] == ["weights-1"]


@pytest.mark.slow
def test_older_weights_are_used_as_long_as_they_may_be(toy, tmp_path, up):
    trainer = trainer_of(toy, tmp_path, up, steps=4, max_staleness=1)
    pushes = up.ask("/weight_info")["pushes"]
    trainer.train()
    assert up.ask("/weight_info")["pushes"] == pushes + 2
    assert logged(trainer, "agent/staleness_max") == [0.0, 1.0, 0.0, 1.0]
    new, old, *_ = logged(trainer, "agent/sampler_gap")
    assert new < 1e-4 < 1e-3 < old
    assert logged(trainer, "agent/stale") == [0.0] * 4


def test_what_is_too_old_is_masked_and_counted():
    ages = [episode(turns=2), episode(turns=2), episode(turns=2), episode(status="failed")]
    for age, each in enumerate(ages):
        each.turns[0].action.sample.policy_version = 5 - age
        each.turns[-1].action.sample.policy_version = 5
    kept, numbers = bounded(ages, 5, 1)
    assert [each.status for each in kept] == ["scored", "scored", "masked", "failed"]
    assert kept[2].record is None and "sampled 2 steps ago" in kept[2].cause
    assert numbers == {"staleness": (0 + 1 + 2 + 0) / 4, "staleness_max": 2.0, "stale": 0.25}


def killing_spec(server, at: int, again: bool):
    """The `at`-th turn kills the server; `again` starts it anew, with the weights of its folder."""
    turns = []

    class Killing(Shelf):
        async def on_turn(self):
            turns.append(1)
            if len(turns) == at:
                server.kill()
                if again:
                    threading.Thread(target=server.start).start()
            return await super().on_turn()

    return make_spec(Killing)


@pytest.mark.slow
def test_a_server_that_dies_in_mid_step_stops_the_run_and_says_so(toy, tmp_path, up):
    trainer = trainer_of(toy, tmp_path, up, killing_spec(up, 6, again=False), wait_s=1.0)
    with pytest.raises(TooManyFailures, match=r"episodes failed, the last with: PolicyError: completions:m failed"):
        trainer.train()
    assert trainer.state.global_step == 0 and trainer.play.engine.runtime.leaks == []


@pytest.mark.slow
def test_a_run_goes_on_when_the_server_is_back(toy, tmp_path, up):
    """The batch in which it died trains nothing: who knows which weights sampled it."""
    trainer = trainer_of(toy, tmp_path, up, killing_spec(up, 6, again=True), steps=3, max_retries=12)
    before = torch.cat([p.detach().flatten().clone() for p in trainer.model.parameters()])
    trainer.train()
    assert logged(trainer, "agent/stale") == [1.0, 0.0, 0.0]
    assert logged(trainer, "agent/failed") == [0.0] * 3
    assert logged(trainer, "grad_norm")[0] == 0.0 < logged(trainer, "grad_norm")[1]
    assert max(logged(trainer, "agent/sampler_gap")[1:]) < 1e-4
    assert not torch.equal(before, torch.cat([p.detach().flatten() for p in trainer.model.parameters()]))


@pytest.mark.slow
def test_a_server_that_stays_away_between_batches_is_told(toy, tmp_path, up):
    trainer = trainer_of(toy, tmp_path, up, wait_s=0.5)
    up.kill()
    with pytest.raises(PolicyError, match=r"has not been well for 0.5 s: start it again.*resume_from_checkpoint"):
        trainer.train()


def test_a_server_without_what_it_takes_is_refused(toy, tmp_path):
    model = toy.model()
    with serving(Answer(404, {})) as fake, pytest.raises(PolicyError, match="has not been well for 0 s"):
        ReloadingServer(fake.url.removesuffix("/v1"), tmp_path, wait_s=0.0).push(model, 1)
    model.peft_config = {}
    with pytest.raises(UsageError, match="push it alone"):
        write_untied(model, tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_staleness": 1}, "max_staleness is for a server's weights"),
        ({"max_staleness": -1}, "max_staleness is a number of steps"),
        ({"server": {"url": "x", "model": "m"}}, "needs folder"),
        ({"server": {"url": "x", "model": "m", "folder": "f", "wait": 1}}, "did you mean 'wait_s'"),
        ({"server": {"url": "x", "model": "m", "folder": "f"}, "temperature": 0.7}, "samples at temperature 1"),
        ({"use_vllm": True}, "for a vLLM server give `server`"),
    ],
)
def test_bad_options_are_refused_before_anything_runs(toy, tmp_path, options, says):
    options = {"output_dir": str(tmp_path), "use_cpu": True, "num_generations": 4, **options}
    with pytest.raises(UsageError, match=says):
        args = AgentGRPOConfig(per_device_train_batch_size=8, **options)
        AgentGRPOTrainer(toy.model(), toy.spec, list(toy.tasks), CompactCodec(toy.tokenizer), args)

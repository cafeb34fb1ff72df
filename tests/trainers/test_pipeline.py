"""The pipeline in training: samplers, dynamic sampling, filtration, controllers, CHORD; each trains, and does its part."""

import asyncio
import json

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import UsageError  # noqa: E402
from agentgym.rollout import collect  # noqa: E402
from agentgym.runtime import Runtime  # noqa: E402
from agentgym.trainers.collecting import Collector  # noqa: E402
from agentgym.trainers.samplers import filtration, sampler  # noqa: E402
from tests.trainers.episodes import episode  # noqa: E402
from tests.trainers.test_grpo import logged, trainer_of  # noqa: E402

KEYS = [f"k{n}" for n in range(8)]


def lenient_spec(toy):
    """`right` is paid at random, so that the rewards of an untrained model differ."""

    class Lenient(toy.env):
        async def artefacts(self):
            from random import Random

            said = "".join(turn.action.text + str(turn.action.calls) for turn in self.turns)
            return {"right": str(Random(said).randrange(2))}

    return toy.make_spec(Lenient)


def small(toy, tmp_path, steps=2, spec=None, cls=None, **options):
    """Two groups of four a batch."""
    return trainer_of(toy, tmp_path, spec or lenient_spec(toy), steps, per_device_train_batch_size=8, **options)


STAGES = {"plan": [[1, {"name": "curriculum", "levels": [KEYS[:2], KEYS[2:]]}]], "then": "variance_aware"}
METHODS = {
    "cispo": {"policy_loss": "cispo", "policy_loss_options": {"ceiling": 2.0}},
    "clipped with KL": {"policy_loss": "clipped", "beta": 0.1, "num_iterations": 2},
    "gspo": {"policy_loss": "gspo"},
    "copo": {"policy_loss": "copo", "advantage": "copo"},
    "rec": {"policy_loss": "rec", "advantage": "dr_grpo", "policy_loss_options": {"region": "ring"}},
    "disco": {"policy_loss": "disco"},
    "uniform": {"sampler": "uniform"},
    "variance_aware": {"sampler": "variance_aware"},
    "failure_replay": {"sampler": "failure_replay", "sampler_options": {"share": 0.5}},
    "curriculum": {"sampler": "curriculum", "sampler_options": {"levels": [KEYS[:3], KEYS[3:]]}},
    "stages": {"sampler": "stages", "sampler_options": STAGES},
    "dynamic": {"dynamic_sampling": 2},
    "filtered": {"filtration": "filtered", "filtration_options": {"keep": "best_worst"}},
    "resampled": {"filtration": "resampled", "filtration_options": {"weighing": "max_random"}},
    "adaptive_kl": {"controllers": {"adaptive_kl": {"target": 0.01, "beta": 0.1}}},
    "turn_budget": {"controllers": {"turn_budget": {"max_turns": 2.0, "every": 1}}},
    "laser_targets": {
        "shaper": "laser_d",
        "controllers": {"laser_targets": {"lower": 4, "upper": 40, "step": 4, "monitor": 2, "samples": 4}},
    },
    "lagrange": {"controllers": {"lagrange": {"thresholds": {"right": 0.9, "step": 0.1}}}},
    "goodhart": {"controllers": {"goodhart": {}}},
    "router_r1": {"shaper": "router_r1", "shaper_options": {"weight": 0.5}},
    "channels": {"advantage": "bnpo", "advantage_options": {"channels": ["right", "step"], "high": 8.0}},
    "mt_grpo": {"advantage": "mt_grpo"},
}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_it_trains(toy, tmp_path, method):
    trainer = small(toy, tmp_path, **METHODS[method])
    before = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0] * (1 if "num_iterations" in METHODS[method] else 2)
    assert any((p != old).any() for p, old in zip(trainer.model.parameters(), before, strict=True))
    assert all(torch.isfinite(p).all() for p in trainer.model.parameters())
    wanted = {
        "entropy",
        "agent/advantage_std",
        "agent/gates/step",
        "agent/channels/right",
        "agent/failed",
        "agent/masked",
    }
    assert wanted <= trainer.state.log_history[0].keys()
    if METHODS[method].get("policy_loss") in ("cispo", "clipped", "gspo", "copo"):
        assert {"clip_ratio/region_mean", "agent/kl_old"} <= trainer.state.log_history[0].keys()


def test_a_sampler_chooses_the_tasks_and_the_book_is_kept(toy, tmp_path):
    played = []
    trainer = small(
        toy, tmp_path, 3, sampler="curriculum", sampler_options={"levels": [KEYS[6:], KEYS[:6]], "review": 0}
    )
    play = trainer.play
    trainer.play = lambda tasks, *rest: played.append([task.id for task in tasks]) or play(tasks, *rest)
    trainer.play.engine, trainer.play.env = play.engine, play.env
    trainer.train()
    assert sorted(played[0]) == ["k6", "k7"]
    assert trainer.collect.book.step == 3
    assert trainer.collect.book.entries["k6"].pass_rate is not None and trainer.collect.book.entries["k0"].last < 1


def teaching(ids):
    return lambda tasks, name: [
        episode(float(task.id in ids and i), group=task.id, task=task.id) for task in tasks for i in range(2)
    ]


def collector(toy, play, **options):
    return Collector(play, {task.id: task for task in toy.tasks}, **options)


def test_dynamic_sampling_replaces_groups_that_teach_nothing(toy):
    made = collector(toy, teaching({"k1", "k5", "k6"}), extra=5)(["k0", "k1", "k2"], 0)
    assert sorted({t.key.task for t in made.kept}) == ["k1", "k5", "k6"]
    assert made.numbers["dull_groups"] == 0 and made.numbers["replaced_groups"] >= 2
    assert len(made.played) == 2 * (3 + made.numbers["replaced_groups"])


def test_dynamic_sampling_ends_and_fills_up_with_what_there_is(toy):
    names = []
    play = teaching({"k1"})
    kept = collector(toy, lambda tasks, name: names.append(name) or play(tasks, name), extra=2)(["k0", "k1", "k2"], 7)
    assert names == ["00007", "00007+1", "00007+2"]
    assert len(kept.kept) == 6 and {t.group for t in kept.kept} >= {"k1", "k0", "k2"}
    assert kept.numbers == {"extra_batches": 2, "replaced_groups": 4, "dull_groups": 2}


def test_a_task_played_twice_in_a_step_makes_two_groups(toy):
    play = teaching({"k0"})
    made = collector(toy, play, extra=1, sampler=lambda book, count, seed: ["k0", "k1"][:count])(["k3", "k4"], 0)
    assert [t.group for t in made.kept] == ["k0", "k0", "k0+1", "k0+1"]


def test_filtration_keeps_a_part(toy):
    play = teaching({"k0"})
    keep = filtration("filtered", keep="best")
    made = collector(toy, play, filtration=keep)(["k0", "k1"], 0)
    assert [t.record.total for t in made.kept] == [1, 0] and made.numbers["kept_share"] == 0.5
    drawn = collector(toy, play, filtration=filtration("resampled", weighing="pow"))(["k0", "k1"], 0)
    assert [t.record.total for t in drawn.kept] == [1, 1, 1, 1]


def test_stages_are_named(toy):
    made = collector(toy, teaching(set()), sampler=sampler("stages", **STAGES))
    assert {t.key.task for t in made(["k5", "k6"], 0).kept} == {"k0", "k1"}
    with pytest.raises(UsageError, match="no task sampler 'curiculum'"):
        sampler("stages", plan=[[1, "curiculum"]])


@pytest.mark.slow
def test_an_adaptive_kl_moves_beta(toy, tmp_path):
    trainer = small(toy, tmp_path, 3, controllers={"adaptive_kl": {"target": 100.0, "beta": 0.1}})
    trainer.train()
    assert logged(trainer, "agent/adaptive_kl/beta") == pytest.approx([0.098, 0.098 * 0.98, 0.098 * 0.98**2])
    assert trainer.beta == pytest.approx(0.1 * 0.98**3)
    assert logged(trainer, "kl")


@pytest.mark.slow
def test_a_turn_budget_shortens_episodes(toy, tmp_path):
    trainer = small(toy, tmp_path, 2, controllers={"turn_budget": {"max_turns": 1.0}})
    trainer.train()
    assert logged(trainer, "agent/turns") == [1.0, 1.0]


def test_laser_targets_are_measured_on_the_monitor_set(toy, tmp_path):
    trainer = small(toy, tmp_path, **METHODS["laser_targets"])
    trainer.train()
    (laser,) = trainer.steering.controllers.values()
    assert laser.measured == 0 and any(target < 40 for target in laser.targets.values())


def test_multipliers_mix_the_channels(toy, tmp_path):
    trainer = small(toy, tmp_path, 1, advantage="dr_grpo", **METHODS["lagrange"])
    seen = {}
    estimate = trainer.steering.estimate
    trainer.steering.estimate = lambda how, batch: seen.setdefault("made", (batch, estimate(how, batch)))[1]
    trainer.train()
    batch, made = seen["made"]
    weights = trainer.steering.weights
    assert set(weights) == {"right", "step"} and set(batch.channels) == {"right", "step"}
    each = {
        name: trainer.estimator(type(batch)(own, batch.groups, batch.turns, batch.valid))
        for name, own in batch.channels.items()
    }
    wanted = [
        [weights["right"] * a + weights["step"] * b for a, b in zip(*both, strict=True)]
        for both in zip(each["right"], each["step"], strict=True)
    ]
    assert made == [pytest.approx(numbers) for numbers in wanted] and any(map(any, made))


def test_training_stops_where_the_reward_leaves_the_outcome(toy, tmp_path, caplog):
    trainer = small(toy, tmp_path, 9, controllers={"goodhart": {"patience": 2}})
    state = {"n": 0}

    def statistics(*_):
        state["n"] += 1
        return {"proxy": float(state["n"]), "truth": 1.0 / state["n"]}

    trainer._statistics = statistics
    trainer.train()
    assert trainer.state.global_step == 3
    assert "success was best at step 0 (1)" in trainer.stopped_because and trainer.stopped_because in caplog.text
    assert logged(trainer, "agent/stopped") == [1.0]


def expert_episodes(toy, count=6):
    async def play():
        async with Runtime() as runtime:
            made = collect(toy.spec, toy.noisy_oracle(0.0), list(toy.tasks)[:count], runtime=runtime)
            return [trajectory async for trajectory in made]

    return asyncio.run(play())


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "controllers"), [(None, {"chord_mu": {"peak": 0.9, "decay": 2}}), ("clipped", {})])
def test_chord_imitates_an_expert(toy, tmp_path, loss, controllers):
    chord = {"form": "plain", "batch": 4} | ({} if controllers else {"mu": 0.5})
    expert = expert_episodes(toy)
    trainer = small(toy, tmp_path, 6, policy_loss=loss, controllers=controllers, chord=chord, expert=expert)
    trainer.train()
    losses = logged(trainer, "agent/expert_loss")
    assert len(losses) == 6 and losses[-1] < losses[0]
    if controllers:
        assert logged(trainer, "agent/chord_mu/mu") == pytest.approx([0.9, 0.475, 0.05, 0.05, 0.05, 0.05])


@pytest.mark.slow
def test_chords_weight_mixes_the_two_losses(toy, tmp_path):
    """mu = 1 leaves the expert's gradient alone, mu = 0 the policy's."""
    gradients = []
    for mu in (0.0, 0.5, 1.0):
        trainer = small(toy, tmp_path, chord={"mu": mu}, expert=expert_episodes(toy))
        trainer.model.train()
        batch = trainer._generate_and_score_completions([{"prompt": id} for id in KEYS[:2] for _ in range(4)])
        trainer.play.engine.close()
        trainer.current_gradient_accumulation_steps = 1
        trainer._compute_loss(trainer.model, batch).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]))
    policy, both, expert = gradients
    assert policy.abs().max() > 0 and expert.abs().max() > 0
    torch.testing.assert_close(both, (policy + expert) / 2, atol=1e-6, rtol=1e-3)


MEMORIES = {
    "sampler": "failure_replay",
    "controllers": {
        "turn_budget": {"max_turns": 3.0, "every": 3},
        "lagrange": {"thresholds": {"right": 0.2}, "lr": 1.0},
        "goodhart": {"patience": 50, "every": 2},
    },
}


@pytest.mark.slow
def test_what_a_run_remembers_is_resumed(toy, tmp_path):
    options = MEMORIES | {"save_strategy": "steps", "save_steps": 2}
    whole = small(toy, tmp_path / "a", 4, **options)
    whole.train()
    saved = json.loads((tmp_path / "a" / "checkpoint-2" / "agentgym.json").read_text())["memory"]
    assert saved["book"]["step"] == 2 and len(saved["turn_budget"]["_used"]) == 2
    again = small(toy, tmp_path / "b", 4, **options)
    again.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))
    assert again.collect.book.state() == whole.collect.book.state()
    for name, controller in whole.steering.controllers.items():
        assert again.steering.controllers[name].state() == controller.state(), name
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        torch.testing.assert_close(one, other)

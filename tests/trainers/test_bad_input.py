"""What training makes of input that is bad or empty: each time a clear message, or a number that is defined and logged."""

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import UsageError  # noqa: E402
from agentgym.policies.codec import ChatCodec, CompactCodec  # noqa: E402
from agentgym.policies.local import LocalPolicy  # noqa: E402
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer  # noqa: E402
from agentgym.types import Score  # noqa: E402
from tests.trainers.test_grpo import failing_spec, logged, trainer_of  # noqa: E402
from tests.trainers.test_pipeline import lenient_spec, small  # noqa: E402

pytestmark = pytest.mark.slow

LOSSES = [
    {},
    {"policy_loss": "clipped"},
    {"policy_loss": "gspo"},
    {"policy_loss": "disco"},
    {"policy_loss": "copo", "advantage": "copo"},
]


def weights(trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.model.parameters()]


def unmoved(trainer, before) -> bool:
    return all((p == old).all() for p, old in zip(trainer.model.parameters(), before, strict=True))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_an_outcome_that_is_no_number_is_a_failure_not_a_zero(toy, tmp_path, number):
    """The episode has failed: out of its group's baseline, and counted."""

    class Broken(type(toy.spec.verifier)):
        async def verify(self, evidence, runtime):
            said = number if evidence.task.id == "k0" else float(evidence.artefacts["right"])
            return [Score("right", said)]

    spec = replace(lenient_spec(toy), verifier=Broken())
    trainer = small(toy, tmp_path, 1, spec, tasks=list(toy.tasks)[:2], max_failed_share=0.9)
    trainer.train()
    assert logged(trainer, "agent/failed") == [0.5] and logged(trainer, "agent/dropped_groups") == [1.0]
    assert math.isfinite(logged(trainer, "agent/reward")[0]) and math.isfinite(logged(trainer, "loss")[0])


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_shaped_reward_that_is_no_number_is_refused(toy, tmp_path, number):
    trainer = small(toy, tmp_path, 1)
    trainer.shape = lambda played: [[number] * len(p.turns) for p in played]
    with pytest.raises(
        UsageError, match=r"`rewards` of trajectory 0 \(group 'k\d'\) holds a number that is not finite"
    ):
        trainer.train()


def test_a_group_with_one_member_left_teaches_nothing_and_is_counted(toy, tmp_path):
    lost = []

    def fails(env) -> bool:
        lost.append(env.task.id == "k0")
        return lost[-1] and sum(lost) > 1

    trainer = small(toy, tmp_path, 1, failing_spec(toy, fails), tasks=list(toy.tasks)[:2], max_failed_share=0.9)
    seen = {}
    advantages = trainer._advantages
    trainer._advantages = lambda ids, batch: seen.setdefault("a", advantages(ids, batch))
    trainer.train()
    left = [i for i, t in enumerate(trainer._batch) if t.key.task == "k0" and t.status == "scored"]
    assert len(left) == 1 and (seen["a"][left[0]] == 0).all()
    assert logged(trainer, "agent/failed") == [3 / 8] and logged(trainer, "agent/dropped_groups") == [1.0]


@pytest.mark.parametrize("options", LOSSES)
def test_rewards_that_are_all_equal_move_nothing(toy, tmp_path, options):
    trainer = small(toy, tmp_path, 1, toy.spec, weight_decay=0.0, **options)
    trainer.shape = lambda played: [[0.25] * len(p.turns) for p in played]
    before = weights(trainer)
    trainer.train()
    assert logged(trainer, "agent/silent_share") == [1.0] and logged(trainer, "agent/advantage_std") == [0.0]
    assert logged(trainer, "loss") == pytest.approx([0.0], abs=1e-9)
    assert unmoved(trainer, before)


class SilentAtTimes(LocalPolicy):
    """A fault: a model that says nothing at all in the turns that `when` names, as a server may answer."""

    def __init__(self, *args, when, **options):
        super().__init__(*args, **options)
        self.when = when

    async def act(self, context, n=1):
        made = await super().act(context, n)
        for action in made if self.when(context) else []:
            action.sample = replace(action.sample, ids=[], logprobs=[])
            action.text, action.calls = "", ()
        return made


@pytest.mark.parametrize("options", LOSSES)
@pytest.mark.parametrize("silent", ["everywhere in a group", "in a turn"])
def test_empty_completions_weigh_nothing(toy, tmp_path, silent, options):
    """Their episodes are scored, their reward counts in the baseline, and there is no token to learn from."""

    def when(context) -> bool:
        return context.task.id == "k1" if silent == "everywhere in a group" else context.turn == 1

    trainer = small(toy, tmp_path, 1, tasks=list(toy.tasks)[:2], **options)
    policy = SilentAtTimes(trainer.model, trainer.codec, max_new_tokens=8, when=when)
    trainer.play.policy = policy
    before = weights(trainer)
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0] and logged(trainer, "agent/failed") == [0.0]
    empty = [t for t in trainer._batch if not t.turns[1].action.sample.ids]
    assert empty and all(t.status == "scored" for t in empty)
    assert math.isfinite(logged(trainer, "loss")[0]) and not unmoved(trainer, before)
    assert all(torch.isfinite(p).all() for p in trainer.model.parameters())


def test_nothing_said_at_all_trains_nothing(toy, tmp_path):
    trainer = small(toy, tmp_path, 1, weight_decay=0.0)
    trainer.play.policy = SilentAtTimes(trainer.model, trainer.codec, max_new_tokens=8, when=lambda context: True)
    before = weights(trainer)
    trainer.train()
    assert logged(trainer, "loss") == [0.0] and unmoved(trainer, before)


def test_messages_over_the_limit_are_cut_and_played(toy, tmp_path):
    trainer = small(toy, tmp_path, 1, max_new_tokens=1)
    trainer.train()
    samples = [turn.action.sample for t in trainer._batch for turn in t.turns]
    assert {len(sample.ids) for sample in samples} == {1} and "length" in {sample.finish for sample in samples}
    assert logged(trainer, "agent/failed") == [0.0]


def test_episodes_over_the_context_end_there_and_are_scored(toy, tmp_path):
    trainer = small(toy, tmp_path, 1, max_context=24)
    trainer.train()
    assert logged(trainer, "agent/truncated") == [1.0] and logged(trainer, "agent/failed") == [0.0]
    assert all(len(line.row.ids) <= 24 for line in trainer._layout.lines if line.row is not None)


def test_a_model_that_never_calls_a_tool_earns_nothing_and_is_not_moved(toy, tmp_path):
    trainer = small(toy, tmp_path, 1, toy.spec, weight_decay=0.0)
    policy = trainer.play.policy
    act = policy.act

    async def mute(context, n=1):
        made = await act(context, n)
        for action in made:
            action.calls = ()
        return made

    policy.act = mute
    before = weights(trainer)
    trainer.train()
    assert logged(trainer, "agent/reward") == [0.0] and logged(trainer, "agent/silent_share") == [1.0]
    assert logged(trainer, "agent/turns") == [3.0] and unmoved(trainer, before)


def test_a_tokenizer_without_a_chat_template_is_refused_with_what_to_do(toy):
    with pytest.raises(UsageError, match="chat template knows no tools and its tokens are not ChatML: give a codec"):
        ChatCodec(toy.tokenizer)


def test_a_tokenizer_without_a_pad_token_pads_with_its_end(toy, tmp_path):
    toy.tokenizer.pad_token = None
    trainer = small(toy, tmp_path, 1)
    trainer.train()
    assert trainer.codec.tokenizer.pad_token_id == toy.tokenizer.eos_token_id
    assert logged(trainer, "agent/tokens_differing") == [0.0]


def test_a_tokenizer_without_an_end_is_refused(toy, tmp_path):
    codec = CompactCodec(toy.tokenizer)
    codec.tokenizer.eos_token = None
    args = AgentGRPOConfig(output_dir=str(tmp_path), use_cpu=True, num_generations=4, per_device_train_batch_size=8)
    with pytest.raises(UsageError, match=r"has no end-of-sequence token: set tokenizer\.eos_token"):
        AgentGRPOTrainer(toy.model(), toy.spec, list(toy.tasks), codec, args)


def test_too_few_tasks_for_a_batch_are_refused(toy, tmp_path):
    with pytest.raises(UsageError, match=r"a batch holds 4 groups, one task each, and there are 2 tasks"):
        trainer_of(toy, tmp_path, tasks=list(toy.tasks)[:2])


@pytest.fixture
def checkpoint(toy, tmp_path):
    trainer = small(toy, tmp_path / "written", 1, sampler="uniform", save_strategy="steps", save_steps=1)
    trainer.train()
    return tmp_path / "written" / "checkpoint-1"


def test_a_checkpoint_of_another_configuration_is_refused(toy, tmp_path, checkpoint):
    def resumed(**options):
        return small(toy, tmp_path / "again", 2, **{"sampler": "uniform", **options}).train(
            resume_from_checkpoint=str(checkpoint)
        )

    assert resumed().global_step == 2
    with pytest.raises(UsageError, match="another configuration: sampler was 'uniform', is 'variance_aware'"):
        resumed(sampler="variance_aware")
    with pytest.raises(UsageError, match="another configuration: tasks was"):
        resumed(tasks=list(toy.tasks)[:4])
    with pytest.raises(UsageError, match="num_generations was 4, is 2"):
        resumed(num_generations=2)
    (checkpoint / "agentgym.json").unlink()
    with pytest.raises(UsageError, match=r"is not a checkpoint of a trainer of agentgym: it holds no agentgym.json"):
        resumed()


def test_a_checkpoint_of_another_model_is_refused(toy, tmp_path, checkpoint):
    toy.model = lambda model=toy.model: model(hidden=32)
    with pytest.raises(UsageError, match="holds the weights of another model"):
        small(toy, tmp_path / "b", 2, sampler="uniform").train(resume_from_checkpoint=str(checkpoint))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"policy_loss": "cliped"}, "no policy loss 'cliped' .did you mean 'clipped'"),
        ({"policy_loss": "cispo"}, "policy loss 'cispo' needs ceiling"),
        ({"policy_loss": "gspo", "loss_type": "grpo"}, "takes the place of TRL's loss: unset loss_type"),
        ({"policy_loss": "gspo", "beta": 0.1}, "no term for the reference: beta must be 0"),
        ({"policy_loss": "copo"}, "choose that, too"),
        ({"policy_loss_options": {"low": 0.1}}, "policy_loss_options are given, but no policy_loss"),
        ({"shaper": "lazer"}, "no reward shaper 'lazer' .did you mean 'laser'"),
        ({"sampler": "curiculum"}, "did you mean 'curriculum'"),
        ({"filtration": "filter"}, "did you mean 'filtered'"),
        ({"filtration": "filtered", "filtration_options": {"keep": "best"}}, "leaves no group to compare"),
        ({"controllers": {"adaptivekl": {}}}, "did you mean 'adaptive_kl'"),
        ({"controllers": {"adaptive_kl": {"target": 1.0}}}, "controller 'adaptive_kl' needs beta"),
        ({"controllers": {"adaptive_kl": {"target": 1.0, "beta": 0.1}}, "beta": 0.2}, "give it to adaptive_kl alone"),
        ({"controllers": {"laser_targets": {"lower": 1, "upper": 2}}}, "choose that, without `targets`"),
        ({"controllers": {"chord_mu": {}}}, "chord_mu moves chord's mu"),
        ({"controllers": {"lagrange": {"thresholds": {}}}, "shaper": "wmact"}, "no shaper, no critic"),
        ({"chord": {}}, "chord needs `mu`"),
        ({"chord": {"mu": 2}}, "from 0 to 1, not 2"),
        ({"chord": {"mu": 0.1, "from": 1}}, "auxiliary loss 'chord' has no option 'from'"),
        ({"chord": {"mu": 0.1}}, "give both the configuration's `chord` and the trainer's `expert`"),
        ({"dynamic_sampling": -1}, "how many extra batches"),
    ],
)
def test_methods_that_do_not_exist_or_do_not_go_together_are_refused(toy, tmp_path, options, says):
    with pytest.raises(UsageError, match=says):
        small(toy, tmp_path, **options)

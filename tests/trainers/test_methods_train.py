"""Every method that can be named in a configuration trains a step on real episodes; how it does so is tested apart."""

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import UsageError  # noqa: E402
from agentgym.trainers.advantages import ESTIMATORS  # noqa: E402
from agentgym.trainers.advantages.gae import TARGETS  # noqa: E402
from agentgym.trainers.shaping import shaper  # noqa: E402
from tests.trainers.test_grpo import logged, trainer_of  # noqa: E402

WITHOUT_CRITIC = [name for name in ESTIMATORS if name not in TARGETS]


def test_every_estimator_takes_a_real_batch(toy, tmp_path):
    """One batch for all: what differs is only what each makes of it."""
    trainer = trainer_of(toy, tmp_path)
    trainer._play([f"k{n}" for n in range(4) for _ in range(4)])
    trainer.shape = lambda played: [[(3 * i + t) % 4 / 8 for t in range(len(p.turns))] for i, p in enumerate(played)]
    batch = trainer._evidence({})
    trainer.play.engine.close()
    batch.states = [[f"s{i % 2}" for i, _ in enumerate(p.turns)] for p in trainer._batch]
    for name in WITHOUT_CRITIC:
        made = ESTIMATORS[name](batch)
        assert [len(numbers) for numbers in made] == [len(turns) for turns in batch.turns]
        assert any(map(any, made)), name


@pytest.mark.parametrize(("shape", "options"), [("overlong", {"limit": 12, "buffer": 6}), ("wmact", {})])
def test_shapers_are_what_the_trainer_takes(toy, tmp_path, shape, options):
    trainer = trainer_of(toy, tmp_path, steps=1, advantage="dr_grpo")
    trainer.shape = shaper(shape, **options)
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0]


def telling_spec(toy):
    class Telling(toy.env):
        async def state(self):
            return [self.value, self.got, self.put_right]

    return toy.make_spec(Telling)


def test_gigpo_compares_steps_from_the_same_state(toy, tmp_path):
    """Not only from the start: a member that called in vain is where it was, and is compared with the others there."""
    trainer = trainer_of(toy, tmp_path, telling_spec(toy), steps=2, advantage="gigpo")
    seen, estimator = [], trainer.estimator
    trainer.estimator = lambda batch: seen.append(batch) or estimator(batch)
    trainer.train()
    assert logged(trainer, "agent/tokens_differing") == [0.0, 0.0]
    for batch in seen:
        assert all(None not in states for states in batch.states)
        for group in set(batch.groups):
            starts = [states[0] for states, own in zip(batch.states, batch.groups, strict=True) if own == group]
            assert len(set(starts)) == 1
        assert any(states.count(states[0]) > 1 for states in batch.states)


def test_a_method_that_lacks_something_says_what(toy, tmp_path):
    with pytest.raises(UsageError, match="state"):
        trainer_of(toy, tmp_path, steps=1, advantage="gigpo").train()

"""A run that stopped goes on to the same numbers, or is told why it may not."""

from __future__ import annotations

import shutil

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from agentgym.errors import UsageError  # noqa: E402
from tests.trainers.run.runs import metrics, train  # noqa: E402


def weights(folder):
    return torch.cat([each.flatten() for _, each in sorted(load_file(folder / "model" / "model.safetensors").items())])


def same(found, wanted):
    """Which episodes are sampled together depends on time, and sums on their order in the last digits."""
    torch.testing.assert_close(weights(found), weights(wanted), atol=1e-5, rtol=1e-4)
    assert [each["step"] for each in metrics(found)] == [1, 2, 3, 4]
    for one, other in zip(metrics(found), metrics(wanted), strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("straight") / "run"
    train(folder)
    return folder


@pytest.mark.slow
def test_two_steps_and_two_more_are_four_steps(straight, tmp_path):
    train(tmp_path / "run", "trainer.max_steps=2")
    half = weights(tmp_path / "run")
    train(tmp_path / "run", resume=True)
    same(tmp_path / "run", straight)
    assert not torch.allclose(half, weights(straight), atol=1e-4)


def test_a_run_killed_in_a_step_goes_on_from_the_checkpoint_before(straight, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(straight, folder)
    (folder / "checkpoint-4" / "trainer_state.json").unlink()  # killed while it was written
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    train(folder, resume=True)
    same(folder, straight)


@pytest.mark.slow
def test_ppo_with_an_adapter_goes_on_too(tmp_path):
    ppo = ("algorithm=ppo", "model.lora={rank: 4}", "trainer.critic_learning_rate=1e-3")
    train(tmp_path / "whole", *ppo)
    train(tmp_path / "halves", *ppo, "trainer.max_steps=2")
    train(tmp_path / "halves", *ppo, resume=True)
    same(tmp_path / "halves", tmp_path / "whole")


def test_a_finished_run_is_only_read_again(straight, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(straight, folder)
    shutil.rmtree(folder / "model")
    train(folder, resume=True)
    assert torch.equal(weights(folder), weights(straight))
    assert metrics(folder) == metrics(straight)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["trainer.learning_rate=2e-3"], r"trainer\.learning_rate: 0\.001 there, 0\.002 here"),
        (["seed=1"], "seed: 0 there, 1 here"),
        (["model.lora.rank=4"], r"model\.lora\.rank: None there, 4 here"),
        (["trainer.advantage=rloo", "tasks.limit=2"], "(?s)tasks.limit: None there, 2 here.*'grpo' there, 'rloo' here"),
        (["trainer.max_steps=6", "trainer.lr_scheduler_type=linear"], "A run can be lengthened where"),
    ],
)
def test_a_checkpoint_of_another_config_is_refused_by_key(straight, overrides, said):
    with pytest.raises(UsageError, match=said) as told:
        train(straight, *overrides, resume=True)
    assert "begin anew with another output_dir" in str(told.value)


def test_a_folder_in_use_is_refused(straight, tmp_path):
    with pytest.raises(UsageError, match="add --resume"):
        train(straight)
    (tmp_path / "checkpoint-1").mkdir()
    with pytest.raises(UsageError, match="checkpoints of another program"):
        train(tmp_path, resume=True)


def test_tasks_that_have_changed_since_are_refused(straight, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(straight, folder)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"w0"', '"w00"'))
    with pytest.raises(UsageError, match="trained on other tasks"):
        train(folder, resume=True)


def test_checkpoints_fall_between_batches(tmp_path):
    with pytest.raises(UsageError, match="give a multiple of 2"):
        train(tmp_path / "run", "trainer.num_iterations=2", "trainer.save_steps=3")

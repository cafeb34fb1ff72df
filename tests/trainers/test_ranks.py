"""Two processes over gloo learn in a step what one learns; groups lie on both; a rank that fails fails for all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import UsageError  # noqa: E402
from agentgym.trainers.ranks import Ranks  # noqa: E402
from tests.trainers import two_ranks  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    script = [sys.executable, str(Path(two_ranks.__file__)), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run([*launch, *script], capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"rank{index}.pt", weights_only=False) for index in range(2)]


@pytest.mark.parametrize("method", ["grpo", "ppo"])
def test_two_ranks_learn_what_one_learns(two, tmp_path, method):
    one = two_ranks.step(tmp_path, 1, critic=method == "ppo")
    first, second = (rank[method] for rank in two)
    assert first["sampled"] == second["sampled"] == one["sampled"]  # each rank is told the whole batch
    assert [*first["groups"], *second["groups"]] == one["groups"]
    assert set(first["groups"]) & set(second["groups"])  # and a group lies on both
    for mine, wanted in zip([*first["advantages"], *second["advantages"]], one["advantages"], strict=True):
        assert mine == pytest.approx(wanted, abs=1e-5)
    assert first["log"] == second["log"] == pytest.approx(one["log"])
    moved = (one["weights"] - one["before"]).norm()
    assert moved > 0.1
    for rank in (first, second):
        assert (rank["weights"] - one["weights"]).norm() < 1e-4 * moved
    if method == "ppo":
        torch.testing.assert_close(first["critic"], second["critic"], atol=0, rtol=0)
        torch.testing.assert_close(first["critic"], one["critic"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("loss", two_ranks.OWN_LOSSES)
def test_with_a_loss_of_ours_groups_stay_whole_and_ranks_learn_what_one_learns(two, tmp_path, loss):
    one = two_ranks.step(tmp_path, 1, policy_loss=loss, **two_ranks.OWN_LOSSES[loss])
    first, second = (rank[loss] for rank in two)
    assert first["sampled"] == second["sampled"] == one["sampled"]
    assert set(first["groups"]).isdisjoint(second["groups"])
    assert sorted({*first["groups"], *second["groups"]}) == sorted(set(one["groups"]))
    moved = (one["weights"] - one["before"]).norm()
    assert moved > 0.1
    for rank in (first, second):
        assert (rank["weights"] - one["weights"]).norm() < 1e-4 * moved


def test_a_rank_that_fails_fails_for_all(two):
    first, second = (rank["failures"] for rank in two)
    assert first["sampling"] == second["sampling"]
    assert first["sampling"].startswith("TooManyFailures: 4 of 12") and "sampler is gone" in first["sampling"]
    assert second["alone"] == "UsageError: only here"
    assert first["alone"] == "AgentGymError: rank 1 failed with UsageError: only here"


def test_sharded_models_are_refused_by_name():
    with pytest.raises(UsageError, match="which FSDP does not leave it"):
        Ranks(0, 2, "FSDP")

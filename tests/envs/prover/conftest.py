"""A runtime whose boxes have Coq, one pool for a test file, and a small problem."""

import pytest

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.runtime import Runtime

ADD_0_R = Problem("Test.Sums", "Require Import Lia.\n", "Theorem add_0_r : forall n : nat, n + 0 = n.", "add_0_r")


@pytest.fixture
async def runtime(tmp_path):
    async with Runtime(cache=tmp_path / "cache", backend="bubblewrap") as runtime:
        yield runtime
        assert runtime.leaks == []


@pytest.fixture
async def pool(runtime):
    return await Pool.open(runtime, provers=2, memory_bytes=1 << 30, keep_bytes=1 << 29)


@pytest.fixture
def prover(pool):
    return CoqProver(pool)

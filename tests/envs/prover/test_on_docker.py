"""The prover on Docker: its image, a proof and the verdict on it, and what is said where there is no image."""

import pytest

from agentgym.envs.prover.coq.pool import Pool, require
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.envs.prover.verify import verify
from agentgym.errors import UsageError
from agentgym.runtime import Runtime
from agentgym.sandboxes import docker_daemon, docker_images
from agentgym.testing import check_environment
from tests.envs.prover.conftest import ADD_0_R

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


async def test_without_the_image_it_is_said_how_to_get_it(docker, tmp_path, monkeypatch):
    monkeypatch.setattr("agentgym.envs.prover.coq.pool.IMAGE", "agentgym-nowhere")
    async with Runtime(cache=tmp_path, backend="docker") as runtime:
        with pytest.raises(UsageError, match="docker_images prover"):
            await require(runtime)


@pytest.mark.nightly
async def test_a_proof_and_its_verdict(docker, tmp_path):
    docker_images.build(docker_daemon.Daemon(docker), extras=["prover"])
    async with Runtime(cache=tmp_path, backend="docker") as runtime:
        prover = CoqProver(await Pool.open(runtime, provers=1, memory_bytes=1 << 30, keep_bytes=1 << 29))
        start = (await prover.open(ADD_0_R)).state
        assert (await prover.run_tac(start, "do 2000000000 idtac.", 1)).kind == "timeout"
        assert (await prover.run_tac(start, "intros; lia.", 5)).kind == "finished"
        assert (await verify(ADD_0_R, ["intros; lia."], (), runtime, coqchk=True)).ok
        assert not (await verify(ADD_0_R, ["exact_no_check I."], (), runtime)).ok
        assert runtime.leaks == []


@pytest.mark.nightly
async def test_the_release_gate(docker):
    docker_images.build(docker_daemon.Daemon(docker), extras=["prover"])
    report = await check_environment("prover/coq-stdlib-v0", limit=1, backend="docker", concurrency=2)
    assert report.passed, report.problems

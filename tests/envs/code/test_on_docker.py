"""The code environments on Docker: their release gates, and a count that is the same as anywhere else."""

import json
import os
import subprocess
import sys

import pytest

from agentgym.envs.code.efficiency import meter
from agentgym.envs.code.efficiency.tasks import FUNCTION, meter_text, tasks
from agentgym.runtime import Runtime
from agentgym.sandboxes import docker_daemon, docker_images
from agentgym.sandboxes.sandbox import SandboxSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def audited(id):
    command = [sys.executable, "-c", "from agentgym.cli import main; main()", "audit", id, "--limit", "1", "--json"]
    done = subprocess.run(command, env={**os.environ, "AGENTGYM_SANDBOX": "docker"}, capture_output=True, text=True)
    assert "sandbox: docker" in done.stderr, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] and report["leaks"] == [] and done.returncode == 0, report


def test_efficiency(docker):
    audited("code/efficiency-v0")


async def test_a_program_costs_the_same_in_every_box_and_here(docker, backend, tmp_path):
    task = await tasks(1.0).get("train-1")
    source = task.payload["files"]["slow.py"]
    job = {"source": source, "function": FUNCTION, "calls": task.secret["calls"][:1], "budget": 1 << 40}
    told = [meter.measure(job)]
    for name in ("docker", backend.name):
        async with Runtime(backend=name, cache=tmp_path) as runtime:
            box = await runtime.sandbox(SandboxSpec())
            for _ in range(2):
                done = await box.exec(["python3", "-c", meter_text()], stdin=json.dumps(job).encode(), timeout=120)
                told.append(json.loads(done.stdout))
            await runtime.release_sandbox(box)
    assert all(each == told[0] for each in told) and told[0]["cost"] > 10_000


@pytest.mark.nightly
@pytest.mark.parametrize("id", ["code/verilog-v0", "code/translate-v0"])
def test_what_needs_the_image(docker, id):
    docker_images.build(docker_daemon.Daemon(docker), extras=["code"])
    audited(id)

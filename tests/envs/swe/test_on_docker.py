"""The repair environments know nothing of their sandbox: their release gate passes on Docker as it does elsewhere."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_audit_passes_on_docker(docker):
    command = [sys.executable, "-c", "from agentgym.cli import main; main()"]
    done = subprocess.run(
        [*command, "audit", "swe/bugs-v0", "--limit", "1", "--json"],
        env={**os.environ, "AGENTGYM_SANDBOX": "docker"},
        capture_output=True,
        text=True,
    )
    assert "sandbox: docker" in done.stderr, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] and report["leaks"] == [] and done.returncode == 0, report

"""Docker passes every check that a backend must pass."""

import pytest

from agentgym.sandboxes.conformance import Check, checks
from agentgym.sandboxes.docker import Docker

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docker"), pytest.mark.timeout(900)]


@pytest.mark.parametrize("check", checks(Docker), ids=lambda check: check.name)
async def test_docker(check: Check):
    await check.run(Docker)

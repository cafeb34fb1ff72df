"""Every backend that can run here passes every check, and the checks do fail a backend that lies."""

import pytest

from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.conformance import Check, Nonconforming, box, check_sandbox, checks
from agentgym.sandboxes.sandbox import ExecResult

REASON = Bubblewrap.unavailable()


@pytest.fixture(autouse=True, scope="module")
def works_here():
    """Where the backend can not run, these tests fail and say what to type: they are not skipped."""
    assert REASON is None, REASON


@pytest.mark.parametrize("check", checks(Bubblewrap), ids=lambda check: check.name)
async def test_bubblewrap(check: Check):
    await check.run(Bubblewrap)


class Optimist(Bubblewrap):
    """Says that everything went well."""

    async def exec(self, argv, **options):
        done = await super().exec(argv, **options)
        return ExecResult(0, done.stdout, done.stderr)


async def test_a_lying_backend_is_found_out(monkeypatch):
    some = [each for each in checks() if each.name in ("exec_basics", "binary_output", "fork_goes_apart")]
    monkeypatch.setattr("agentgym.sandboxes.conformance.checks", lambda backend: some)
    held = {name: ok for name, ok, _ in await check_sandbox(Optimist)}
    assert held == {"exec_basics": False, "binary_output": True, "fork_goes_apart": True}
    with pytest.raises(Nonconforming):
        await some[0].run(Optimist)


async def test_checks_follow_capabilities():
    class Modest(Bubblewrap):
        capabilities = frozenset()

    left_out = {each.name for each in checks(Bubblewrap)} - {each.name for each in checks(Modest)}
    assert "no_network" in left_out and "fork_goes_apart" in left_out and "exec_basics" not in left_out


async def test_box_closes_when_its_block_fails():
    with pytest.raises(RuntimeError):
        async with box(Bubblewrap) as sandbox:
            raise RuntimeError
    assert await sandbox._channel.process.wait(0)

"""Every attack is stopped by every backend, and the attacks do notice when they are not stopped."""

import os
import re

import pytest
import pytest_asyncio

from agentgym import backends
from agentgym.sandboxes import agent_sandbox, seccomp
from agentgym.sandboxes.attacks import Arena, Attack, Succeeded, attacks
from agentgym.sandboxes.attacks.__main__ import table
from agentgym.sandboxes.bubblewrap import Bubblewrap
from tests.sandboxes.unconfined import Unconfined

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

BACKENDS = [backends.load(name) for name in backends.names()]
PAIRS = [(backend, each) for backend in BACKENDS for each in attacks(backend)]
ALL = {each.name: each for each in attacks()}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def arenas():
    opened = {}
    yield lambda backend: opened.setdefault(backend, Arena(backend))
    for each in opened.values():
        await each.close()


@pytest.fixture
def works_here(request, backend):
    """Where a backend can not run, its tests fail and say what to type: they are not skipped."""
    if backend.name == "docker":
        request.getfixturevalue("docker")
    elif backend not in _PROBED:
        _PROBED[backend] = backend.unavailable()
    assert _PROBED.get(backend) is None, _PROBED[backend]


_PROBED = {}


@pytest.mark.parametrize(("backend", "attack"), PAIRS, ids=[f"{b.name}-{a.name}" for b, a in PAIRS])
async def test_stopped(works_here, arenas, backend, attack: Attack):
    seen = await attack.run(arenas(backend))
    assert seen.strip(), "nobody knows what stopped it"


FREE = [
    "tcp_to_the_host",
    "udp_to_the_host",
    "abstract_sockets_of_the_host",
    "a_unix_socket_by_path",
    "a_server_that_the_host_can_reach",
    "out_by_links",
    "environment_of_the_driver",
    "files_of_the_host",
    "inherited_descriptors",
    "other_processes_of_the_host",
    "links_to_the_host",
    "paths_that_climb",
    "a_link_that_moves",
    "a_daemon_after_close",
    "a_daemon_after_a_timeout",
    "flood_stdout",
    "flood_stderr",
    "one_file_too_large",
    "more_threads_than_allowed",
]


@pytest.mark.parametrize("name", FREE)
async def test_noticed_without_any_walls(name):
    await _noticed(name, Unconfined)


async def test_noticed_with_more_power_than_a_box():
    if os.geteuid() == 0:  # an ordinary user has none
        await _noticed("capabilities_from_the_start", Unconfined)
    if os.access("/proc/sys/kernel/panic", os.W_OK):
        await _noticed("kernel_settings", Unconfined)


@pytest.mark.parametrize(
    "name",
    [
        "calls_that_widen_the_kernel",
        "tracing",
        "without_the_filter",
        "limits_of_the_agent",
        "memory_of_the_kernel_after_restore",
    ],
)
async def test_noticed_without_the_filter(monkeypatch, name):
    monkeypatch.setattr(seccomp, "program", lambda: None)
    monkeypatch.setattr(Bubblewrap, "spares", 0)
    await _noticed(name, Bubblewrap)


@pytest.mark.parametrize("name", ["more_processes_than_allowed", "more_threads_than_allowed", "one_file_too_large"])
async def test_noticed_without_limits(monkeypatch, name):
    loose = [("NPROC", 400), ("FSIZE", 1 << 30), ("NOFILE", 4096)]
    monkeypatch.setattr(agent_sandbox, "resource_limits", lambda limits, counted: loose)
    monkeypatch.setattr(Bubblewrap, "spares", 0)
    await _noticed(name, Bubblewrap)


async def _noticed(name, backend):
    arena = Arena(backend)
    try:
        with pytest.raises(Succeeded) as got:
            await ALL[name].run(arena)
        assert str(got.value).strip()
    finally:
        await arena.close()
        Unconfined.clean()


async def test_the_suite_says_what_it_tries():
    assert len(ALL) >= 100
    assert all(len(each.tries) > 10 for each in ALL.values())
    assert len({each.tries for each in ALL.values()}) == len(ALL)
    assert {each.family for each in ALL.values()} >= {"network", "filesystem", "secrets", "the_agent", "leftovers"}


async def test_the_table(monkeypatch):
    some = [ALL["reboot"], ALL["tcp_to_the_host"]]
    monkeypatch.setattr("agentgym.sandboxes.attacks.arena.attacks", lambda backend: some)
    text, through = await table(Bubblewrap)
    assert through == 0 and re.search(r"\| reboot \| .+ \| EPERM .+ \|", text), text
    text, through = await table(Unconfined)
    assert through >= 1 and "| tcp_to_the_host | Connect" in text and "**NOT STOPPED**" in text, text

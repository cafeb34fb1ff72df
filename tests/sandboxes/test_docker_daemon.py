"""A daemon that dies, comes back or stops answering is infrastructure, and no box is to blame. With daemons of our own."""

import asyncio
import io
import os
import signal
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

from agentgym import Runtime, RuntimeLimits, collect, tool
from agentgym.errors import SandboxError
from agentgym.rollout import FailureLimit
from agentgym.sandboxes import agent_sandbox, docker_container, docker_daemon
from agentgym.sandboxes.docker import Docker
from agentgym.sandboxes.sandbox import Image, SandboxSpec
from agentgym.store import Store
from tests import dockerd
from tests.toys import Counter, counter_spec, scripted, tasks

pytestmark = [pytest.mark.slow]
SPEC = SandboxSpec(image=Image("bare"))


@pytest.fixture
def own(monkeypatch):
    """A daemon of this test's own, with an image in which there is nothing: its folder and its process."""
    if os.geteuid() != 0:
        pytest.fail("this test starts daemons of its own, for which it must be root")
    with tempfile.TemporaryDirectory(prefix="agentgym-own-") as place:
        folder = Path(place)
        process = dockerd.start(folder, folder / "data")
        monkeypatch.setenv("DOCKER_HOST", dockerd.host_in(folder))
        monkeypatch.setattr(Docker, "spares", 0)
        packed = io.BytesIO()
        tarfile.open(fileobj=packed, mode="w").close()
        docker_daemon.current().ask("import_image_from_data", packed.getvalue(), repository="bare")
        running = [process]
        yield folder, running
        for each in running:
            if each.poll() is None:
                each.send_signal(signal.SIGCONT)
                dockerd.stop(each.pid)
            each.wait(20)


def dead(pid):
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def freeze(process):
    """Stop it, and wait until the last of its threads has: the signal alone says only that they will."""
    process.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 30
    while not all(_stopped(thread) for thread in Path(f"/proc/{process.pid}/task").iterdir()):
        assert time.monotonic() < deadline, "the daemon was told to stop and has not"
        time.sleep(0.01)


def _stopped(thread):
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:  # it has ended
        return True


async def test_a_daemon_that_dies_is_infrastructure_and_may_come_back(own):
    folder, running = own
    box, idle = await Docker.start(SPEC), await Docker.start(SPEC)
    agents = [each._channel.process.pid for each in (box, idle)]
    running[0].kill()
    for each in (box, idle):
        assert await each._channel.process.wait(10)
    for each in (box, idle):
        with pytest.raises(SandboxError) as death:
            await each.write("file", b"")
        assert death.value.fault == "infrastructure", death.value
        await each.close()
    assert all(dead(pid) for pid in agents)
    with pytest.raises(SandboxError) as death:
        await Docker.start(SPEC)
    assert death.value.fault == "infrastructure"
    running.append(dockerd.start(folder, folder / "data"))
    again = await Docker.start(SPEC)
    await again.write("file", b"back")
    assert await again.read("file") == b"back"
    await again.close()


@pytest.mark.parametrize("linked", [True, False])
async def test_a_daemon_that_stops_answering_is_infrastructure(own, monkeypatch, linked):
    """Boxes that are linked to us go on meanwhile."""
    folder, running = own
    monkeypatch.setattr(docker_container, "_unlinked", set() if linked else {dockerd.host_in(folder)})
    box = await Docker.start(SPEC)
    agent = box._channel.process.pid
    monkeypatch.setattr(agent_sandbox, "GRACE_S", 1.0)
    monkeypatch.setattr(docker_daemon, "CALL_S", 1.0)
    monkeypatch.setattr(docker_daemon.current().api, "timeout", 1.0)
    freeze(running[0])
    began = time.monotonic()
    if linked:
        assert (await box.exec(["/nothing"], timeout=30)).exit_code == 127
    else:
        with pytest.raises(SandboxError) as death:
            await box.exec(["/nothing"], timeout=0.5)
        assert death.value.fault == "infrastructure", death.value
    with pytest.raises(SandboxError, match=r"does not answer|failed") as death:
        await Docker.start(SPEC)
    assert death.value.fault == "infrastructure"
    await box.close()
    assert time.monotonic() - began < 60 and dead(agent)
    running[0].send_signal(signal.SIGCONT)
    await (await Docker.start(SPEC)).close()


class Notebook(Counter):
    """A counter whose number is in a file of a box; nobody adds before `go`."""

    go: asyncio.Event
    box = None

    async def on_reset(self):
        self.box = await self.runtime.sandbox(SPEC)
        return await super().on_reset()

    @tool
    async def add(self, n: int = 1) -> str:
        """Add to the counter.

        Args:
            n: how much to add
        """
        await self.go.wait()
        self.value += n
        await self.box.write("number", str(self.value).encode())
        self.value = int(await self.box.read("number"))
        await asyncio.sleep(0.2)
        return str(self.value)

    async def on_close(self):
        if self.box is not None:
            await self.runtime.release_sandbox(self.box)


async def test_a_daemon_that_dies_amid_thirty_two_episodes(own, tmp_path, monkeypatch):
    """Those that it took along are failed, not scored 0; the rest, and they themselves on a second run, are scored."""
    folder, running = own
    spec = counter_spec(id="toy/notebook-v0", entry=Notebook)
    store = Store(tmp_path / "store")
    Notebook.go = asyncio.Event()
    monkeypatch.setattr(Runtime, "sandbox_class", Docker)  # its probe wants the base image
    async with Runtime(limits=RuntimeLimits(sandboxes=32)) as runtime:

        async def played():
            options = {"runtime": runtime, "concurrency": 32, "store": store, "failures": FailureLimit(1.0)}
            async for trajectory in collect(spec, scripted(), tasks(64), **options):
                yield trajectory

        async def crash():
            while len(runtime.leaks) < 32:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.01)
            Notebook.go.set()
            await asyncio.sleep(0.3)
            running[0].kill()
            await asyncio.sleep(1.0)
            running.append(await asyncio.to_thread(dockerd.start, folder, folder / "data"))

        crashing = asyncio.create_task(asyncio.wait_for(crash(), 120))
        first = [trajectory async for trajectory in played()]
        await crashing
        failed = [each for each in first if each.status == "failed"]
        scored = [each for each in first if each.status == "scored"]
        assert len(first) == 64 and len(failed) + len(scored) == 64 and failed
        assert all(each.success == 1.0 for each in scored)
        assert all(each.cause and each.record is None for each in failed)
        again = [trajectory async for trajectory in played()]
        assert {each.key.task for each in again} == {each.key.task for each in failed}
        assert all(each.success == 1.0 for each in again) and runtime.leaks == []

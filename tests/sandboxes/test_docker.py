"""What is Docker's own: any image, containers that die with their driver, what they leave, and how it all fails."""

import asyncio
import gc
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import types
from contextlib import suppress
from pathlib import Path

import pytest

from agentgym import backends
from agentgym.errors import SandboxError, UsageError
from agentgym.runtime import Runtime
from agentgym.sandboxes import (
    agent_sandbox,
    docker_container,
    docker_daemon,
    docker_images,
    docker_link,
    docker_reaper,
    folders,
)
from agentgym.sandboxes import docker as docker_backend
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.docker import Docker
from agentgym.sandboxes.docker_frames import Demultiplexer
from agentgym.sandboxes.sandbox import Image, SandboxLimits, SandboxSpec, Snapshot

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docker"), pytest.mark.timeout(900)]

DRIVER = """
import asyncio
from agentgym.sandboxes.docker import Docker
from agentgym.sandboxes.sandbox import SandboxSpec
async def main():
    boxes = await asyncio.gather(Docker.start(SandboxSpec()), Docker.start(SandboxSpec()))
    for box in boxes:
        done = await box.exec(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & id -u"])
        assert done.stdout == b"1000\\n", done
    print(*(box._channel.process.pid for box in boxes), flush=True)
    await END
asyncio.run(main())
"""
FULL = """
import os, time
while True:
    try:
        if os.fork() == 0: continue
    except OSError: pass
    time.sleep(0.01)
"""


LINKED = """
import json, os, socket
def tried(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return type(error).__name__
    return "it worked"
at = "/run/link/socket"
print(json.dumps([
    os.path.exists(at), tried(socket.socket(socket.AF_UNIX).connect, at), tried(socket.socket(socket.AF_UNIX).bind, at),
    tried(os.mkdir, "/run/link/made"),
]))
"""
CONNECT = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
sys.stdin.read()
"""


@pytest.fixture
async def box():
    sandbox = await Docker.start(SandboxSpec())
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="module")
def bare(docker):
    """An image with nothing in it, not even a directory; and a volume."""
    packed = io.BytesIO()
    tarfile.open(fileobj=packed, mode="w").close()
    daemon = docker_daemon.current()
    daemon.ask("import_image_from_data", packed.getvalue(), repository="agentgym-bare", changes=["VOLUME /data"])
    yield "agentgym-bare:latest"
    daemon.ask("remove_image", "agentgym-bare:latest", force=True)


def containers(owner, **which):
    """The names of a driver's containers."""
    found = docker_daemon.current().ask("containers", filters={"label": "agentgym.owner"}, **which or {"all": True})
    return [each["Names"][0] for each in found if each["Labels"]["agentgym.owner"].startswith(f"{owner}:")]


def nobodys(owner):
    """Nothing of a dead driver runs; what was created and never started goes with the sweep."""
    assert within(5, lambda: not containers(owner, all=False))
    asyncio.run(Docker.sweep())
    assert within(5, lambda: not containers(owner))


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def within(seconds, holds):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, None])
def test_nothing_outlives_the_driver(death):
    code = DRIVER.replace("END", "asyncio.sleep(0)" if death is None else "asyncio.sleep(600)")
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    agents = driver.stdout.readline().split()
    if death is not None:
        assert len(containers(driver.pid)) >= 2  # and spares
        driver.send_signal(death)
    driver.wait(30)
    driver.stdout.close()
    nobodys(driver.pid)
    assert not any(alive(pid) for pid in agents)


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.35])
def test_nothing_outlives_a_driver_that_dies_while_starting(delay):
    code = "print(flush=True)\n" + DRIVER.replace("END", "asyncio.sleep(600)")
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    within(30, lambda: containers(driver.pid))
    time.sleep(delay)
    driver.kill()
    driver.wait(30)
    driver.stdout.close()
    nobodys(driver.pid)


async def test_close_leaves_nothing(box):
    await box.exec(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & (trap '' TERM; sleep 4321) >/dev/null 2>&1 &"])
    pid = box._channel.process.pid
    assert containers(os.getpid()) == [f"/{box._channel.process.name}"]
    await box.close()
    assert containers(os.getpid()) == [] and not alive(pid)


async def test_no_descriptors_leak():
    async def life():
        one = await Docker.start(SandboxSpec())
        taken = await one.snapshot()
        two = await one.fork()
        await one.restore(taken)
        await Docker.release(taken)
        await asyncio.gather(one.close(), two.close())

    await life()
    before = len(os.listdir("/proc/self/fd"))
    await life()
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_cancelled_start_leaves_nothing():
    await (await Docker.start(SandboxSpec())).close()
    before = len(os.listdir("/proc/self/fd"))
    for delay in (0.0, 0.02, 0.1, 0.25):
        start = asyncio.ensure_future(Docker.start(SandboxSpec()))
        await asyncio.sleep(delay)
        start.cancel()
        with suppress(asyncio.CancelledError):
            await (await start).close()  # it was faster
    assert within(5, lambda: containers(os.getpid()) == []) and links() == []
    del start
    await asyncio.sleep(0)  # a link that was cut is closed by the loop
    gc.collect()  # tracebacks hold the trees that were to be streamed
    assert len(os.listdir("/proc/self/fd")) <= before


def links():
    """What is in the temporary directory for agents to connect to."""
    return [str(each) for each in Path(tempfile.gettempdir(), docker_reaper.folder()).rglob("*")]


async def test_the_channel_of_a_local_daemons_box_is_a_socket_that_no_command_finds(box):
    assert box._channel.process._link is not None and links() == []
    assert docker_reaper.folder() not in os.listdir(tempfile.gettempdir())
    done = await box.exec(["python3", "-c", LINKED])
    assert json.loads(done.stdout) == [False, *["FileNotFoundError"] * 3], done  # a directory that is no more


@pytest.mark.parametrize("way", ["no listener", "no socket", "not shown"])
async def test_the_attached_streams_serve_where_there_is_no_socket(monkeypatch, tmp_path, way):
    monkeypatch.setattr(docker_container, "_unlinked", set())
    monkeypatch.setattr(docker_container, "_LINK_S", 0.3)
    if way == "no listener":
        monkeypatch.setattr(docker_link, "_directory", lambda: os.open(tmp_path / "none", os.O_RDONLY))
    elif way == "no socket":
        monkeypatch.setattr(docker_container, "TARGET", "/run/another")
    else:  # the daemon does not see where we are
        monkeypatch.setattr(docker_link.Listener, "_listen", lambda self: self.directory.rmdir())
    await (await Docker.start(SandboxSpec())).close()  # a process's first box may open what stays
    await asyncio.sleep(0)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        box = await Docker.start(SandboxSpec())
        assert box._channel.process._link is None and links() == []
        assert (await box.exec(["cat"], stdin=b"x" * 100_000)).stdout == b"x" * 65536
        await box.close()
        assert docker_container._unlinked == (set() if way == "no listener" else {docker_daemon.address()})
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_only_the_agent_may_connect():
    listener = docker_link.Listener.open()
    place = str(listener.directory / "socket")
    assert listener.directory.parent.stat().st_mode & 0o077 == 0
    command = [sys.executable, "-c", CONNECT, place]
    first, second = (subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(2))  # noqa: ASYNC220
    try:
        line = await asyncio.wait_for(listener.accept(second.pid), 20)
        assert docker_link._peer(line) == second.pid
        line.close()
        waiting = asyncio.ensure_future(listener.accept(1))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    finally:
        listener.close()
        for each in (first, second):
            each.communicate(timeout=20)
    assert not listener.directory.parent.exists()


def test_directories_of_dead_drivers_are_swept(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ours = docker_reaper.folder()
    names = {"dead": f"{folders._kind('link')}{os.getpid()}-1", "elsewhere": "agentgym-link-0-1-1", "live": ours}
    for name in names.values():
        (tmp_path / name / "one").mkdir(parents=True)
        (tmp_path / name / "one" / "socket").touch()
    folders.sweep("link")
    assert {each.name for each in tmp_path.iterdir()} == {names["elsewhere"], names["live"]}


async def test_an_images_id_is_remembered_for_a_moment_only(bare, monkeypatch):
    async def resolved():
        return (await Docker._resolve(SandboxSpec(image=Image("agentgym-moving:latest")))).digest

    daemon = docker_daemon.current()
    monkeypatch.setattr(docker_backend, "_FRESH_S", 600.0)
    daemon.ask("tag", bare, "agentgym-moving", "latest")
    try:
        first = await resolved()
        daemon.ask("tag", docker_images.reference("base"), "agentgym-moving", "latest")
        assert await resolved() == first
        monkeypatch.setattr(docker_backend, "_FRESH_S", 0.0)
        assert await resolved() != first
    finally:
        daemon.ask("remove_image", "agentgym-moving:latest")
    for _ in range(2):
        with pytest.raises(SandboxError, match="docker pull"):
            await resolved()


async def test_the_sweep_takes_what_is_nobodys(box, bare):
    daemon, ours = docker_daemon.current(), docker_reaper.labels(100)
    kinds = {
        "dead": ours | {"agentgym.owner": f"{os.getpid()}:1"},
        "elsewhere": ours | {"agentgym.host": "another", "agentgym.owner": "1:1"},
        "over": ours | {"agentgym.host": "another", "agentgym.owner": "1:1", "agentgym.expires": "1000"},
        "live": ours,
        "foreign": {},
    }
    made = {
        kind: daemon.ask(
            "create_container", bare, command="x", name=f"agentgym-test-{kind}-{os.getpid()}", labels=labels
        )
        for kind, labels in kinds.items()
    }
    try:
        assert await Docker.sweep() == 2
        left = {each["Id"] for each in daemon.ask("containers", all=True)}
        assert {kind for kind, each in made.items() if each["Id"] in left} == {"elsewhere", "live", "foreign"}
        assert (await box.exec(["true"])).ok
    finally:
        for each in made.values():
            with suppress(SandboxError):
                daemon.ask("remove_container", each, force=True)


async def test_image_is_recorded_and_demanded(box):
    assert box.image.name == "base" and box.image.digest.startswith("sha256:")
    again = await Docker.start(SandboxSpec(image=box.image))
    await again.close()
    with pytest.raises(SandboxError, match="as was asked for"):
        await Docker.start(SandboxSpec(image=Image("base", "sha256:0")))
    with pytest.raises(SandboxError, match="docker pull no-such/image:1"):
        await Docker.start(SandboxSpec(image=Image("no-such/image:1")))
    assert docker_images.COMMAND in docker_images.how_to_get(docker_images.reference("base"))


async def test_any_image_will_do(bare):
    box = await Docker.start(SandboxSpec(image=Image(bare)))
    try:
        await box.write("file", b"1")
        twin = await box.fork()
        assert await twin.read("file") == b"1"
        await twin.close()
        mounted = {
            line.split()[1]: line.split()[3] for line in (await box.read("/proc/self/mounts")).decode().splitlines()
        }
        assert mounted["/data"].startswith("ro,"), "a volume is disk without a limit"
        assert (await box.exec(["sh"])).exit_code == 127
    finally:
        await box.close()


async def test_the_image_for_repairs_has_what_they_need():
    box = await Docker.start(SandboxSpec(image=Image("swe")))
    done = await box.exec(["sh", "-c", "git init -q r && cd r && echo a > f && git add f && git diff --cached --stat"])
    await box.close()
    assert done.ok and b"1 insertion" in done.stdout, done


async def test_mounts_are_shown_read_only(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("shown")
    tmp_path.chmod(0o700)  # nobody but us may walk to it
    mounts = ((tmp_path / "data", "/data/in"), (tmp_path / "data" / "file", "/one"))
    sandbox = await Docker.start(SandboxSpec(mounts=mounts))
    try:
        assert await sandbox.read("/data/in/file") == b"shown" and await sandbox.read("/one") == b"shown"
        with pytest.raises(PermissionError):
            await sandbox.write("/data/in/file", b"changed")
    finally:
        await sandbox.close()
    for target in ("/workspace/in", "relative", "/a/../usr"):
        with pytest.raises(UsageError):
            await Docker.start(SandboxSpec(mounts=((tmp_path / "data", target),)))


async def test_memory_of_all_processes_counts():
    limits = SandboxLimits(memory_bytes=64 << 20, disk_bytes=16 << 20)
    sandbox = await Docker.start(SandboxSpec(limits=limits))
    try:
        done = await sandbox.exec(["python3", "-c", "bytearray(512 << 20)"])
        assert (done.exit_code, done.killed_by) == (None, "memory")
        assert (await sandbox.exec(["true"])).ok
    finally:
        await sandbox.close()


async def test_a_box_full_of_processes_can_be_emptied(box):
    assert (await box.exec(["sh", "-c", f"python3 -c '{FULL}' & sleep 1"])).ok
    assert (await box.exec(["true"])).exit_code in (0, 126)
    await box.exec(["sleep", "99"], timeout=0.2)
    assert (await box.exec(["true"])).ok


async def test_a_killed_agent_is_ambiguous_then_dead(box):
    call = asyncio.ensure_future(box.exec(["sleep", "20"]))
    await asyncio.sleep(0.2)
    box._channel.process.kill()
    with pytest.raises(SandboxError) as death:
        await call
    assert death.value.fault == "ambiguous"
    with pytest.raises(SandboxError, match="dead"):
        await box.read("any")


async def test_a_hung_agent_does_not_hang_the_driver(box, monkeypatch):
    monkeypatch.setattr(agent_sandbox, "GRACE_S", 0.5)
    agent = box._channel.process.pid
    os.kill(agent, signal.SIGSTOP)
    with pytest.raises(SandboxError, match="did not answer") as death:
        await box.exec(["true"], timeout=0.1)
    assert death.value.fault == "ambiguous"
    await box.close()
    assert not alive(agent)


async def test_lifetime():
    sandbox = await Docker.start(SandboxSpec(limits=SandboxLimits(lifetime_s=0.5)))
    with pytest.raises(SandboxError, match="lifetime") as death:
        await sandbox.exec(["sleep", "20"])
    assert death.value.fault == "infrastructure"
    await sandbox.close()


async def test_spares_are_boxes_like_others():
    await Docker.warm_up(SandboxSpec(), 1)
    began = time.monotonic()
    box = await Docker.start(SandboxSpec(env={"A": "1"}))
    took = time.monotonic() - began
    assert (await box.exec(["sh", "-c", "echo $A"])).stdout == b"1\n"
    await box.close()
    assert took < 0.25, took
    await Docker.tidy()
    assert within(5, lambda: containers(os.getpid()) == [])


async def test_foreign_snapshots_are_refused(box):
    with pytest.raises(ValueError):
        await box.restore(Snapshot("0", "bubblewrap"))


class Said:
    """A reader of what is given."""

    def __init__(self, data):
        self.data = data

    async def readexactly(self, n, /):
        if len(self.data) < n:
            raise EOFError
        data, self.data = self.data[:n], self.data[n:]
        return data


async def test_frames():
    frames = b"\1\0\0\0\0\0\0\2ab" + b"\2\0\0\0\0\0\x13\x88" + bytes(5000) + b"\1\0\0\0\0\0\0\1c"
    reader = Demultiplexer(Said(frames * 2))
    assert [await reader.readexactly(n) for n in (1, 3, 2)] == [b"a", b"bca", b"bc"]
    assert len(reader.stderr) == 4000
    for nonsense in (b"HTTP/1.1 500", b"\1\0\0\0\xff\0\0\0"):
        with pytest.raises(ValueError):
            await Demultiplexer(Said(nonsense)).readexactly(1)
    with pytest.raises(EOFError):
        await Demultiplexer(Said(b"\1\0\0\0\0\0\0\2a")).readexactly(1)


def test_what_to_do_is_said(docker, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "docker", types.ModuleType("docker"))  # the folder of that name
    with pytest.raises(SandboxError, match=r"pip install 'agentgym\[docker\]'"):
        docker_daemon.sdk()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "apt-get install docker.io" in Docker.unavailable()
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert "unix socket" in Docker.unavailable()


def test_auto_takes_docker_where_it_works(monkeypatch, tmp_path):
    assert Docker.unavailable() is None
    assert backends.choose("auto") is Docker
    monkeypatch.setenv("AGENTGYM_SANDBOX", "docker")
    assert Runtime().sandbox_class is Docker
    monkeypatch.setenv("AGENTGYM_SANDBOX", "bubblewrap")
    assert Runtime().sandbox_class is Bubblewrap
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert backends.choose("auto") is Bubblewrap


def test_an_image_that_lacks_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(docker_images, "_tag", lambda name: "other")
    assert docker_images.COMMAND in Docker.unavailable()

"""What is Bubblewrap's own: its root, its death with the driver, what it leaves, and how it fails."""

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from agentgym.errors import SandboxError, UsageError
from agentgym.sandboxes import agent, agent_sandbox, bubblewrap, cgroup, launch, rootfs, zygote
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.conformance import checks
from agentgym.sandboxes.sandbox import Image, SandboxLimits, SandboxSpec, Snapshot

REASON = Bubblewrap.unavailable()


@pytest.fixture(autouse=True, scope="module")
def works_here():
    """Where the backend can not run, these tests fail and say what to type: they are not skipped."""
    assert REASON is None, REASON


ROOT = os.geteuid() == 0

DRIVER = """
import asyncio
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.sandbox import SandboxSpec
async def main():
    boxes = [await Bubblewrap.start(SandboxSpec()) for _ in range(2)]
    for box in boxes:
        done = await box.exec(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & id -u"])
        assert done.ok, done
    print(boxes[0]._channel.process.zygote._popen.pid, flush=True)
    await END
asyncio.run(main())
"""


@pytest.fixture
async def box():
    sandbox = await Bubblewrap.start(SandboxSpec())
    yield sandbox
    await sandbox.close()


def descendants(pids):
    """These processes and all below them, as the host sees them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {pid for pid in pids if pid in parents}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def gone(pids, patience=10.0):
    deadline = time.monotonic() + patience
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        if time.monotonic() > deadline:
            return left
        time.sleep(0.02)
    return []


def groups(pid):
    parent = cgroup._parent()
    found = [] if parent is None else [name for _, inner, _ in os.walk(parent) for name in inner]
    return [name for name in found if name.startswith(f"agentgym-{pid}-")]


@pytest.mark.slow
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, None])
def test_nothing_outlives_the_driver(death):
    mounts = Path("/proc/self/mountinfo").read_text()
    code = DRIVER.replace("END", "asyncio.sleep(0)" if death is None else "asyncio.sleep(600)")
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    family = descendants([int(word) for word in driver.stdout.readline().split()])
    if death is not None:
        assert len(family) >= 6  # bwrap, the zygote, and two of each: agent, sleep
        driver.send_signal(death)
    driver.wait(30)
    driver.stdout.close()
    assert gone(family) == []
    assert Path("/proc/self/mountinfo").read_text() == mounts
    cgroup._parent.cache_clear()  # what the next driver's first box does
    assert groups(driver.pid) == []


@pytest.mark.skipif(cgroup._parent() is None, reason="no cgroup can be made here")
def test_cgroups_of_the_dead_are_swept():
    parent = cgroup._parent()
    dead, foreign, nested = parent / "agentgym-1-1-0", parent / "agentgym-of-others", parent / "nested-for-a-test"
    for path in (dead, foreign, nested, nested / "agentgym-1-1-0"):
        path.mkdir()
    try:
        ours = cgroup.MemoryGroup(parent, 1 << 30)
        cgroup._sweep(parent)
        assert not dead.exists() and not (nested / dead.name).exists()
        assert foreign.exists() and ours.procs.exists()
        assert ours.remove()
    finally:
        nested.rmdir()
        foreign.rmdir()


@pytest.mark.skipif(cgroup._parent() is None, reason="no cgroup can be made here")
async def test_a_memory_group_is_used_again_and_holds_for_the_next_box():
    small = SandboxSpec(limits=SandboxLimits(memory_bytes=64 << 20, disk_bytes=1 << 20))
    hog = ["python3", "-c", "x = bytearray(600 << 20); print(len(x))"]
    for _ in range(2):
        box = await Bubblewrap.start(small)
        assert (await box.exec(hog)).killed_by == "memory"
        await box.close()
    other = await Bubblewrap.start(SandboxSpec(limits=SandboxLimits(memory_bytes=1 << 30)))
    assert (await other.exec(hog)).ok
    await other.close()
    assert len(groups(os.getpid())) == 2  # one for each limit
    await Bubblewrap.tidy()
    assert groups(os.getpid()) == []


async def test_close_leaves_nothing(box):
    await box.exec(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & (trap '' TERM; sleep 4321) >/dev/null 2>&1 &"])
    family = descendants([box._channel.process.pid])
    assert len(family) >= 3
    await box.close()
    assert gone(family, 0.0) == []
    await Bubblewrap.tidy()  # else its group waits for the next box
    assert groups(os.getpid()) == []


async def test_no_descriptors_leak():
    async def life():
        one = await Bubblewrap.start(SandboxSpec())
        taken = await one.snapshot()
        two = await one.fork()
        await one.restore(taken)
        await Bubblewrap.release(taken)
        await asyncio.gather(one.close(), two.close())

    await life()
    before = len(os.listdir("/proc/self/fd"))
    await life()
    await life()
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_cancelled_start_leaves_nothing():
    await (await Bubblewrap.start(SandboxSpec())).close()
    before = len(os.listdir("/proc/self/fd"))
    for delay in (0.0, 0.003, 0.01, 0.02):
        start = asyncio.ensure_future(Bubblewrap.start(SandboxSpec()))
        await asyncio.sleep(delay)
        start.cancel()
        with suppress(asyncio.CancelledError):
            await (await start).close()  # it was faster
    await Bubblewrap.tidy()
    assert groups(os.getpid()) == []
    del start
    gc.collect()  # tracebacks hold the trees that were to be streamed
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_boxes_are_private():
    boxes = await asyncio.gather(*(Bubblewrap.start(SandboxSpec()) for _ in range(8)))
    try:
        assert len({each._channel.process.zygote for each in boxes}) == 1
        if ROOT:
            assert boxes[0]._channel.process.zygote.uid > 1_000_000_000
        replies = await asyncio.gather(
            *(each.exec(["sh", "-c", f"echo {n} > f; cat f"]) for n, each in enumerate(boxes))
        )
        assert [int(reply.stdout) for reply in replies] == list(range(8))
    finally:
        await asyncio.gather(*(each.close() for each in boxes))


async def test_a_zygote_that_was_killed_is_replaced(box):
    first = box._channel.process.zygote
    first._popen.kill()
    assert gone([box._channel.process.pid]) == []
    with pytest.raises(SandboxError) as death:
        await box.exec(["true"])
    assert death.value.fault == "infrastructure"
    other = await Bubblewrap.start(SandboxSpec())
    assert other._channel.process.zygote is not first and (await other.exec(["true"])).ok
    await other.close()


async def test_an_idle_zygote_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(zygote, "IDLE_S", 0.05)
    spec = SandboxSpec(mounts=((tmp_path, "/data"),))
    first = await Bubblewrap.start(spec)
    maker = first._channel.process.zygote
    await first.close()
    assert await asyncio.to_thread(gone, [maker._popen.pid]) == [] and maker.closed
    again = await Bubblewrap.start(spec)
    assert again._channel.process.zygote is not maker
    await again.close()


async def test_image_is_recorded_and_demanded(box):
    assert box.image.name == "base" and box.image.digest.startswith("sha256:")
    again = await Bubblewrap.start(SandboxSpec(image=box.image))
    await again.close()
    for image in (Image("debian"), Image("base", "sha256:0")):
        with pytest.raises(SandboxError):
            await Bubblewrap.start(SandboxSpec(image=image))


async def test_mounts_are_shown_read_only(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("shown")
    tmp_path.chmod(0o700)  # nobody but us may walk to it
    mounts = ((tmp_path / "data", "/data/in"), (tmp_path / "data" / "file", "/one"))
    sandbox = await Bubblewrap.start(SandboxSpec(mounts=mounts))
    try:
        assert await sandbox.read("/data/in/file") == b"shown" and await sandbox.read("/one") == b"shown"
        with pytest.raises(PermissionError):
            await sandbox.write("/data/in/file", b"changed")
    finally:
        await sandbox.close()
    for target in ("/workspace/in", "relative", "/a/../usr"):
        with pytest.raises(UsageError):
            await Bubblewrap.start(SandboxSpec(mounts=((tmp_path / "data", target),)))


async def test_unusable_workspaces(tmp_path):
    with pytest.raises(SandboxError, match="can not be read"):
        await Bubblewrap.start(SandboxSpec(workspace=tmp_path / "none"))
    (tmp_path / "big").write_bytes(os.urandom(2 << 20))
    with pytest.raises(SandboxError, match="No space left"):
        await Bubblewrap.start(SandboxSpec(workspace=tmp_path, limits=SandboxLimits(disk_bytes=1 << 20)))


async def test_the_drivers_python_without_the_systems(monkeypatch):
    monkeypatch.setattr(rootfs, "_system_python", lambda: None)
    rootfs.host_root.cache_clear()
    try:
        sandbox = await Bubblewrap.start(SandboxSpec())
        version = await sandbox.exec(["python3", "-c", "import sys; print(sys.prefix, *sys.version_info[:2])"])
        assert version.stdout.decode().split() == ["/usr/local", *map(str, sys.version_info[:2])], version
        assert not (await sandbox.exec(["python", "-c", "import pytest"])).ok
        await sandbox.close()
    finally:
        rootfs.host_root.cache_clear()


async def test_a_signal_of_its_own(box):
    done = await box.exec(["sh", "-c", "kill -SEGV $$"])
    assert (done.exit_code, done.killed_by) == (139, "signal")


@pytest.mark.skipif(cgroup._parent() is None, reason="no cgroup can be made here")
async def test_memory_of_all_processes_counts():
    limits = SandboxLimits(memory_bytes=64 << 20, disk_bytes=16 << 20)
    sandbox = await Bubblewrap.start(SandboxSpec(limits=limits))
    try:
        done = await sandbox.exec(["python3", "-c", "bytearray(512 << 20)"])
        assert (done.exit_code, done.killed_by) == (None, "memory")
        assert (await sandbox.exec(["true"])).ok
    finally:
        await sandbox.close()


async def test_a_killed_agent_is_ambiguous_then_dead(box):
    call = asyncio.ensure_future(box.exec(["sleep", "20"]))
    await asyncio.sleep(0.2)
    box._channel.process.kill()
    with pytest.raises(SandboxError) as death:
        await call
    assert death.value.fault == "ambiguous"
    with pytest.raises(SandboxError, match="dead") as death:
        await box.read("any")
    assert death.value.fault == "infrastructure"


async def test_a_hung_agent_does_not_hang_the_driver(box, monkeypatch):
    monkeypatch.setattr(agent_sandbox, "GRACE_S", 0.5)
    agent = box._channel.process.pid
    os.kill(agent, signal.SIGSTOP)
    with pytest.raises(SandboxError, match="did not answer"):
        await box.exec(["true"], timeout=0.1)
    await box.close()
    assert gone([agent], 0.0) == []


@pytest.mark.parametrize("reply", [b"\xff\xff\xff\xff", b"\0\0\0\4\0\0\0\1", b"\0\0\0\5\0\0\0\1?", b"\0\0\0\0"])
async def test_nonsense_from_the_agent_ends_the_box(box, reply):
    box._channel._reader.data_received(reply)
    with pytest.raises(SandboxError, match="protocol") as death:
        await box.exec(["true"])
    assert death.value.fault == "ambiguous"


async def test_lifetime():
    sandbox = await Bubblewrap.start(SandboxSpec(limits=SandboxLimits(lifetime_s=0.5)))
    with pytest.raises(SandboxError, match="lifetime") as death:
        await sandbox.exec(["sleep", "20"])
    assert death.value.fault == "infrastructure"
    await sandbox.close()


async def test_one_call_at_a_time(box):
    call = asyncio.ensure_future(box.exec(["sleep", "0.2"]))
    await asyncio.sleep(0.05)
    with pytest.raises(UsageError):
        await box.exec(["true"])
    assert (await call).ok


async def test_foreign_snapshots_are_refused(box):
    with pytest.raises(ValueError):
        await box.restore(Snapshot("0", "docker"))


async def test_one_snapshot_fills_many_boxes(box):
    data = os.urandom(3 << 20)
    await box.write("data", data)
    taken = await box.snapshot()
    twins = [await box.fork() for _ in range(3)]
    await asyncio.gather(*(each.restore(taken) for each in twins), Bubblewrap.release(taken))
    assert all([await each.read("data") == data for each in twins])
    await asyncio.gather(*(each.close() for each in twins))


async def test_arguments_are_checked(box):
    for call in (box.exec(["a\0b"]), box.exec(["true"], env={"A=B": "x"}), box.read("a\0b")):
        with pytest.raises(ValueError):
            await call
    assert (await box.exec(["true"])).ok


def test_what_to_do_is_said(monkeypatch):
    assert "unprivileged_userns_clone" in launch.explain(b"bwrap: No permissions to create new namespace")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get install bubblewrap" in Bubblewrap.unavailable()


@pytest.mark.slow
@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_an_unprivileged_driver(tmp_path):
    """The same boxes without root: no uid of their own, memory by address space."""
    if not Path("/usr/bin/python3").exists():
        pytest.skip("needs a Python that everybody may run")
    package = tmp_path / "agentgym"
    shutil.copytree(Path(bubblewrap.__file__).parent, package / "sandboxes")
    shutil.copy(Path(sys.modules["agentgym.errors"].__file__), package)
    for path in (tmp_path, *tmp_path.parents):
        if path.owner() == "root" and path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)
    (package / "run.py").write_text(
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from agentgym.sandboxes.bubblewrap import Bubblewrap\n"
        "from agentgym.sandboxes.conformance import checks\n"
        "assert Bubblewrap.unavailable() is None, Bubblewrap.unavailable()\n"
        "assert 'uid' not in Bubblewrap.capabilities\n"
        "names = ('exec_basics', 'snapshot_and_restore', 'a_memory_hog_is_data', 'a_fork_bomb_is_contained',\n"
        "         'timeout_kills_everything', 'the_user_has_no_powers', 'no_network', 'full_disk_is_an_error_inside')\n"
        "for each in checks(Bubblewrap):\n"
        "    if each.name in names: asyncio.run(each.run(Bubblewrap)); print(each.name)\n"
    )
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3"]
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    drop = ["env", f"AGENTGYM_CACHE={tmp_path / 'cache'}", *drop]
    done = subprocess.run([*drop, str(package / "run.py")], capture_output=True, text=True, cwd="/", timeout=120)
    assert done.returncode == 0 and len(done.stdout.split()) == 8, done.stdout + done.stderr


FILES = ("workspace_is_a_private_copy", "snapshot_and_restore", "fork_goes_apart", "full_disk_is_an_error_inside")


@pytest.fixture
def no_layers(monkeypatch, tmp_path):
    """The agent as it is under a kernel before 6.6, where tmpfs has no attributes of users."""
    folder = Path(agent.__file__).parent
    sources = [each for each in folder.glob("*.c") if each.name != "enter.c"]
    program = tmp_path / "agent"
    subprocess.run(["cc", "-std=gnu17", "-O1", "-static", "-DCAN_LAYER=0", "-o", program, *sources], check=True)
    monkeypatch.setattr(agent, "agent", lambda: program)
    launch._agent.cache_clear()
    yield
    launch._agent.cache_clear()


@pytest.mark.slow
async def test_without_layers(no_layers):
    try:
        box = await Bubblewrap.start(SandboxSpec())
        assert not box._channel.layered
        for script in ("echo x > /run/bases/x", "echo 1 > /proc/sys/kernel/msgmax"):
            assert not (await box.exec(["sh", "-c", script])).ok, script
        await box.close()
        for each in checks(Bubblewrap):
            if each.name in FILES:
                await each.run(Bubblewrap)
    finally:
        await Bubblewrap.tidy()

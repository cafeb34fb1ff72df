"""A driver killed at any moment, all its boxes busy: nothing of it stays, and nobody else's is touched."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from agentgym import backends
from agentgym.sandboxes import cgroup
from agentgym.sandboxes.sandbox import SandboxSpec

BUSY = """
import asyncio, sys
from pathlib import Path
from agentgym import backends
from agentgym.sandboxes.sandbox import SandboxSpec
backend, count, tree = backends.load(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
async def work(number):
    while True:
        box = await backend.start(SandboxSpec(workspace=tree))
        for _ in range(5):
            await box.exec(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & head -c 100k /dev/urandom > f; echo $$"])
            taken = await box.snapshot()
            twin = await box.fork()
            await box.restore(taken)
            await asyncio.gather(twin.close(), backend.release(taken))
        await box.close()
        print(number, flush=True)
async def main():
    print("up", flush=True)
    await asyncio.gather(*map(work, range(count)))
asyncio.run(main())
"""
PATIENCE_S = 20.0


def processes():
    """Every process: its parent and its user."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        found[int(status.parent.name)] = int(lines["PPid"]), int(lines["Uid"].split()[0])
    return found


def family(pid):
    """What is below a process, and the users that only its boxes have."""
    everyone, found = processes(), {pid}
    while more := {each for each, (parent, _) in everyone.items() if parent in found} - found:
        found |= more
    return found, {everyone[each][1] for each in found if each in everyone and everyone[each][1] > 1_000_000_000}


def survivors(pids, users):
    return {each for each, (_, user) in processes().items() if each in pids or user in users}


def groups(pid):
    parent = cgroup._parent()
    names = [] if parent is None else [name for _, inner, _ in os.walk(parent) for name in inner]
    return [name for name in names if name.startswith(f"agentgym-{pid}-")]


def containers(name, pid):
    if name != "docker":
        return []
    from agentgym.sandboxes import docker_daemon

    daemon = docker_daemon.current()
    marks = [each["Labels"] for each in daemon.ask("containers", all=True, filters={"label": "agentgym.owner"})]
    return [mark for mark in marks if mark["agentgym.owner"].startswith(f"{pid}:")]


def kill_a_busy_driver(name, count, wait, tree, scratch):
    mounts = Path("/proc/self/mountinfo").read_text()
    driver = subprocess.Popen(
        [sys.executable, "-c", BUSY, name, str(count), str(tree)],
        stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)},
    )  # fmt: skip
    assert driver.stdout.readline() == b"up\n"
    time.sleep(wait)
    pids, users = family(driver.pid)
    driver.send_signal(signal.SIGKILL)
    driver.wait(30)
    driver.stdout.close()
    deadline = time.monotonic() + PATIENCE_S
    while left := survivors(pids, users):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    return driver.pid


async def swept(backend, pid, scratch):
    """What the next driver's first box does, and what is left then."""
    cgroup._parent.cache_clear()
    assert groups(pid) == []
    if backend.name == "docker":  # where its agents would have connected to it goes with the sweep
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(scratch))
            await backend.sweep()
        deadline = time.monotonic() + PATIENCE_S
        while left := await asyncio.to_thread(containers, backend.name, pid):
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.2)
    assert os.listdir(scratch) == []


async def crash(name, count, waits, tree):
    """While a box of ours lives on."""
    (tree / "tree").mkdir()
    (tree / "tree" / "file").write_text("x" * 10_000)
    backend = backends.load(name)
    bystander = await backend.start(SandboxSpec())
    try:
        for wait in waits:
            with tempfile.TemporaryDirectory(dir=tree) as scratch:
                dead = await asyncio.to_thread(kill_a_busy_driver, name, count, wait, tree / "tree", scratch)
                await swept(backend, dead, scratch)
            assert (await bystander.exec(["true"])).ok
    finally:
        await bystander.close()
        await backend.tidy()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bubblewrap", "docker"])
async def test_a_killed_driver_leaves_nothing(name, tmp_path, docker):
    await crash(name, 4, [0.3, 2.0], tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["bubblewrap", "docker"])
async def test_thirty_two_busy_boxes(name, tmp_path, docker):
    draw = random.Random(0)
    await crash(name, 32, [draw.uniform(0.0, 6.0) for _ in range(6)], tmp_path)

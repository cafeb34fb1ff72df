"""Spares: taken warm, replaced, checked before they are handed over, ended when nobody asks or the loop is tidied."""

import asyncio
from pathlib import Path

from agentgym.sandboxes import spares
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec


def pids():
    return {channel.process.pid for shelf in spares._here().values() for channel in shelf.ready}


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


async def settled():
    for shelf in spares._here().values():
        await asyncio.gather(*shelf.making, return_exceptions=True)  # an idle shelf ends them


async def test_warm_boxes_are_taken_by_start_and_fork(tmp_path):
    (tmp_path / "file").write_text("hello")
    await Bubblewrap.warm_up(SandboxSpec(workspace=tmp_path), 2)
    warm = pids()
    assert len(warm) == 2
    box = await Bubblewrap.start(SandboxSpec(workspace=tmp_path, env={"A": "1"}))
    fork = await box.fork()
    try:
        assert {box._channel.process.pid, fork._channel.process.pid} == warm
        for each in (box, fork):
            assert (await each.exec(["sh", "-c", "cat file; echo $A"])).stdout == b"hello1\n"
        assert pids() == set()
    finally:
        await asyncio.gather(box.close(), fork.close())


async def test_another_shape_is_another_box():
    await Bubblewrap.warm_up(SandboxSpec(), 1)
    box = await Bubblewrap.start(SandboxSpec(limits=SandboxLimits(processes=7)))
    assert box._channel.process.pid not in pids() and len(pids()) == 1
    await box.close()
    await Bubblewrap.tidy()


async def test_a_dead_spare_is_not_handed_over():
    await Bubblewrap.warm_up(SandboxSpec(), 2)
    first = spares._here()[next(iter(spares._here()))].ready[0]
    first.process.kill()
    await first.process.wait(5)
    box = await Bubblewrap.start(SandboxSpec())
    assert box._channel.process.pid != first.process.pid and (await box.exec(["true"])).ok
    await box.close()
    await Bubblewrap.tidy()


async def test_a_backend_that_wants_spares_keeps_them_and_lets_them_go(monkeypatch):
    monkeypatch.setattr(Bubblewrap, "spares", 2)
    box = await Bubblewrap.start(SandboxSpec())
    await settled()
    assert len(pids()) == 2
    await box.close()
    monkeypatch.setattr(spares, "IDLE_S", 0.05)
    box = await Bubblewrap.start(SandboxSpec())
    await box.close()
    await settled()
    left = pids()
    for _ in range(100):
        if not pids() and all(map(gone, left)):
            break
        await asyncio.sleep(0.1)
    assert pids() == set() and all(map(gone, left))


async def test_tidy_ends_all_and_only_spares():
    await Bubblewrap.warm_up(SandboxSpec(), 2)
    box = await Bubblewrap.start(SandboxSpec())
    left = pids()
    await Bubblewrap.tidy()
    assert len(left) == 1 and all(map(gone, left)) and pids() == set()
    assert (await box.exec(["true"])).ok
    await box.close()

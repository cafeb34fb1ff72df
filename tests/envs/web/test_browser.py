"""The browser as a process: isolated, closed off, shared, and gone when its owner is."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from agentgym.envs.web.browser import chromium
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.errors import UsageError
from agentgym.runtime import Runtime

_TRIES = """<p id=out></p><script>(async () => {
  const out = {}, other = 'PLACE';
  const go = async (name, work) => { try { out[name] = String(await work()) } catch (error) { out[name] = 'no' } };
  await go('own', async () => (await fetch('/own')).status);
  for (const host of ['127.0.0.1:' + other, 'localhost:' + other, '0.0.0.0:' + other, '[::1]:' + other, '[::ffff:127.0.0.1]:' + other,
                      'HOST:' + other, 'example.com', '1.1.1.1', '169.254.169.254'])
    await go(host, async () => (await fetch('http://' + host + '/x', { mode: 'no-cors' })).type);
  await go('image', () => new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = 'http://127.0.0.1:' + other + '/i' }));
  await go('socket', () => new Promise((ok, no) => { const s = new WebSocket('ws://127.0.0.1:' + other); s.onopen = ok; s.onerror = no }));
  await go('transport', async () => { const t = new WebTransport('https://127.0.0.1:' + other); await t.ready; return 'open' });
  navigator.sendBeacon('http://127.0.0.1:' + other + '/beacon', 'x');
  const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:' + UDP }] });
  peer.createDataChannel('x');
  await peer.setLocalDescription(await peer.createOffer());
  const frame = document.createElement('iframe'); frame.src = 'http://127.0.0.1:' + other + '/frame'; document.body.append(frame);
  document.getElementById('out').textContent = JSON.stringify(out);
})()</script>"""


async def test_nothing_is_reached_but_the_sites_own_origin(player):
    reached = []

    async def hear(reader, writer):
        reached.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(hear, None, 0, family=socket.AF_INET)
    port = server.sockets[0].getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        page = (
            _TRIES.replace("PLACE", str(port))
            .replace("UDP", str(udp.getsockname()[1]))
            .replace("HOST", socket.gethostname())
        )
        said = await player.start(page)
        for _ in range(20):
            if '"own"' in said and "socket" in said:
                break
            said = await player.do("noop(500)")
        assert '"own":"200"' in said and "/own" in player.site.asked
        assert said.count('"no"') == 12, said
        await asyncio.sleep(0.3)
        assert reached == []
        with pytest.raises(BlockingIOError):
            udp.recv(10)
    server.close()


async def test_sessions_share_a_browser_and_nothing_else(site):
    site.pages["/"] = (
        "<script>document.title = document.cookie + (localStorage.x || ''); document.cookie = 'a=1'; localStorage.x = 'kept'</script>"
    )
    async with Runtime() as runtime:
        pool = await Browsers.of(runtime)
        sessions = [await pool.lease(Profile((site.origin,))) for _ in range(3)]
        assert len(pool.pids) == 1
        for session in sessions:
            await session.tab.open(site.origin)
            assert (await session.tab.look(10))[0].title in ("", site.origin.removeprefix("http://"))
            await session.tab.open(site.origin + "/")
            assert (await session.tab.look(10))[0].title == "a=1kept"
            await pool.give_back(session)
            await pool.give_back(session)


async def test_a_second_browser_is_started_where_two_are_allowed(site):
    async with Runtime() as runtime:
        pool = await Browsers.of(runtime, browsers=2)
        one, other = await pool.lease(Profile((site.origin,))), await pool.lease(Profile((site.origin,)))
        assert one.browser is not other.browser and len(set(pool.pids)) == 2


async def test_sites_must_be_on_loopback():
    async with Runtime() as runtime:
        pool = await Browsers.of(runtime)
        for origin in ("http://example.com:80", "file:///", "http://127.0.0.1", "ftp://127.0.0.1:1"):
            with pytest.raises(UsageError, match="loopback"):
                await pool.lease(Profile((origin,)))


@pytest.mark.parametrize(
    "place",
    [
        "chromium_headless_shell-1187/chrome-linux/headless_shell",
        "chromium_headless_shell-1200/chrome-headless-shell-linux64/chrome-headless-shell",
        "chromium-1200/chrome-linux64/chrome",
    ],
)
async def test_the_browser_that_playwright_left_is_found_and_started(tmp_path, monkeypatch, place):
    """Where its releases put it; what stands there is this machine's own."""
    program = tmp_path / place
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{chromium.find()}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert chromium.find() == str(program)
    browser = await chromium.Chromium.start()
    assert "product" in await browser.call("Browser.getVersion")
    await browser.close()


async def test_what_to_do_without_a_browser(monkeypatch):
    monkeypatch.setenv(chromium.VARIABLE, "/nowhere/chromium")
    with pytest.raises(UsageError, match="no program"):
        chromium.find()
    monkeypatch.delenv(chromium.VARIABLE)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere")
    with pytest.raises(UsageError, match="apt-get install"):
        chromium.find()


async def test_no_process_outlives_its_runtime(site):
    async with Runtime() as runtime:
        pool = await Browsers.of(runtime)
        await (await pool.lease(Profile((site.origin,)))).tab.open(site.origin)
        [pid] = pool.pids
        assert len(_group(pid)) > 1
    assert _group(pid) == []
    assert not _profiles(os.getpid())


def test_no_process_outlives_a_killed_driver(tmp_path):
    script = textwrap.dedent("""
        import asyncio
        from agentgym.envs.web.browser.pool import Browsers
        from agentgym.envs.web.browser.profile import Profile
        from agentgym.runtime import Runtime
        async def main():
            pool = await Browsers.of(Runtime())
            await pool.lease(Profile(("http://127.0.0.1:1",)))
            print(*pool.pids, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    driver = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    pid = int(driver.stdout.readline())
    assert len(_group(pid)) > 1
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    until = time.monotonic() + 10
    while _group(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert _group(pid) == []
    chromium.sweep()
    assert not _profiles(driver.pid)


def _profiles(driver: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"agentgym-browser-{driver}-*"))


def _group(pid: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(group) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found

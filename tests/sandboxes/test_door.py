"""Programs that talk from inside a box: who comes in, what they say, and how they end."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agentgym.errors import SandboxError
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.door import Door
from agentgym.sandboxes.sandbox import SandboxSpec

ECHO = "import sys\nfor line in sys.stdin: print(line.strip() * 2, flush=True)"
FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536)"


@pytest.fixture
async def door():
    door = await Door.open()
    yield door
    folder = door.mount[0]
    await door.close()
    assert not folder.exists()
    await Bubblewrap.tidy()


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


async def start(door, *argv, **rlimits):
    box = await Bubblewrap.start(SandboxSpec(mounts=(door.mount,)))
    return await door.start(box, argv, rlimits=rlimits)


async def test_a_conversation(door):
    talk = await start(door, "python3", "-c", ECHO)
    for word in (b"a", b"b" * 100_000):
        talk.line.write(word + b"\n")
        assert await talk.line.until(b"\n") == word * 2 + b"\n"
    talk.line.write(b"x\ny\n")
    assert await talk.line.until(b"\n", 2) == b"xx\nyy\n"
    assert talk.line.pid > 0 and alive(talk.line.pid)
    await talk.close()
    await talk.close()
    assert talk.ended.done() and not alive(talk.line.pid)


async def test_how_it_ended_is_told(door):
    talk = await start(door, "python3", "-c", "import sys; print('bye'); sys.exit(7)")
    with pytest.raises(EOFError):
        await talk.line.until(b"never")
    assert (await talk.ended).exit_code == 7
    await talk.close()


async def test_who_says_too_much_is_hung_up_on(door):
    talk = await start(door, "python3", "-c", FLOOD)
    with pytest.raises(EOFError):
        await talk.line.until(b"never")
    await talk.close()


async def test_resource_limits_hold(door):
    talk = await start(door, "python3", "-c", "x = bytearray(1 << 30)", AS=1 << 29)
    assert b"MemoryError" in (await talk.ended).stderr
    await talk.close()


async def test_what_is_not_there_does_not_start(door):
    with pytest.raises(SandboxError, match="did not start"):
        await start(door, "python3", "-c", "pass", NONSENSE=1)


async def test_strangers_stay_outside(door):
    """A connection that does not know the word is closed."""
    reader, writer = await asyncio.open_unix_connection(str(door.mount[0] / "socket"))
    writer.write(b"0" * 32)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


KILLED = """
import asyncio, os
from agentgym.sandboxes.door import Door
async def main():
    print((await Door.open()).mount[0], flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


def doors():
    return set(Path(tempfile.gettempdir()).glob("agentgym-door-*"))


def left_by_a_killed_driver():
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    return Path(done.stdout.strip())


async def test_a_killed_drivers_door_is_removed_by_the_next_and_a_live_ones_is_not(door):
    left = await asyncio.to_thread(left_by_a_killed_driver)
    assert left in doors()
    other = await Door.open()
    assert left not in doors() and door.mount[0] in doors()
    await other.close()

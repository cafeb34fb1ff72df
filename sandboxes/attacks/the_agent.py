"""Attacks on the agent in the box: its life, its speed, its limits, its voice.

A box whose agent a command can kill is an episode that a command can void.
"""

from __future__ import annotations

import asyncio
import base64
import struct

from agentgym.errors import SandboxError
from agentgym.sandboxes.attacks.arena import Arena, attack, refuse_if, require, succeeded
from agentgym.sandboxes.conformance import sh
from agentgym.sandboxes.sandbox import Sandbox

_RACER = r"""
import os, time
ends, mine, caught = time.monotonic() + 8, {os.getpid(), os.getppid(), 1}, set()
def filtered(pid): return "Seccomp:\t2" in open(f"/proc/{pid}/status").read()
while time.monotonic() < ends:
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) in mine: continue
        try:
            os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
            if not filtered(pid): caught.add("memory before the filter")
            for fd in os.listdir(f"/proc/{pid}/fd"):
                place = os.readlink(f"/proc/{pid}/fd/{fd}")
                if int(fd) > 2 and not place.startswith(("/usr/", "/etc/", "/lib", "/proc/")): caught.add("descriptor " + place)
        except OSError: pass
    open("/tmp/catching", "w").write(repr(sorted(caught)))
    os.rename("/tmp/catching", "/tmp/caught")
"""


async def alive(box: Sandbox, after: str) -> str:
    """That the box still does as it is told; Succeeded if it does not."""
    try:
        done = await box.exec(["echo", "alive"], timeout=40)
    except SandboxError as error:
        succeeded(f"the box died of {after}: {error}")
    refuse_if(done.stdout != b"alive\n", f"after {after} the box said {done}")
    return "the box goes on"


@attack()
async def signals_to_the_agent(arena: Arena) -> str:
    """Kill, stop and interrupt the agent with every signal there is, one by one and to all processes."""
    async with arena.fresh() as box:
        seen = await arena.probe(
            "met = []\n"
            "for number in range(1, 65):\n"
            "    if number in (32, 33): continue\n"
            "    try: os.kill(1, number); met.append('taken')\n"
            "    except OSError as error: met.append(error.strerror)\n"
            "stopped(sorted(set(met)))",
            box,
        )
        await sh(box, "kill -STOP -1; kill -9 -1; kill -STOP 1; kill -9 1", timeout=20)
        return f"signals {seen}: {await alive(box, 'its signals')}"


@attack()
async def kill_all(arena: Arena) -> str:
    """kill -9 -1: every process that can be seen."""
    async with arena.fresh() as box:
        done = await sh(box, "kill -9 -1; kill -9 1; sleep 0.5; echo spared", timeout=20)
        return f"the command itself: {done.killed_by or done.exit_code}; {await alive(box, 'kill -1')}"


@attack()
async def stop_itself(arena: Arena) -> str:
    """Stop itself, so that the driver waits for ever."""
    async with arena.fresh() as box:
        done = await sh(box, "kill -STOP $$", timeout=1)
        refuse_if(not done.timed_out, done)
        return f"{done.killed_by} after {done.duration_s:.1f} s; {await alive(box, 'a stopped command')}"


@attack("seccomp")
async def limits_of_the_agent(arena: Arena) -> str:
    """Cut the agent's limits by prlimit, so that it dies or lets commands go."""
    async with arena.fresh() as box:
        return await arena.probe(
            "import resource as r\n"
            "kinds = {k: getattr(r, 'RLIMIT_' + k) for k in ('AS', 'CPU', 'DATA', 'FSIZE', 'NOFILE', 'NPROC', 'STACK')}\n"
            "low = ctypes.create_string_buffer(struct.pack('=QQ', 1 << 30, 1 << 40))\n"
            "each_must_fail([(n, lambda k=k: call('prlimit64', 1, k, low, None)) for n, k in kinds.items()])",
            box,
        )


@attack("seccomp")
async def starve_the_agent(arena: Arena) -> str:
    """Give the agent the lowest priority, and no processor to run on."""
    async with arena.fresh() as box:
        return await arena.probe(
            "each_must_fail([('nice', lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)),\n"
            "    ('nice all', lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19)), ('nice all 0', lambda: os.setpriority(os.PRIO_USER, 0, 19)),\n"
            "    ('idle', lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))),\n"
            "    ('affinity', lambda: os.sched_setaffinity(1, {min(os.sched_getaffinity(0))})),\n"
            "    ('ioprio', lambda: call('ioprio_set', 1, 1, 3 << 13))])",
            box,
        )


@attack()
async def trace_the_agent(arena: Arena) -> str:
    """Attach to the agent, read and write its memory, take its descriptors."""
    async with arena.fresh() as box:
        return await arena.probe(
            "room = ctypes.create_string_buffer(16)\n"
            "vector = lambda: ctypes.create_string_buffer(struct.pack('=QQ', ctypes.addressof(room), 8))\n"
            "far = lambda: ctypes.create_string_buffer(struct.pack('=QQ', 0x400000, 8))\n"
            "each_must_fail([('attach', lambda: call('ptrace', 16, 1, 0, 0)), ('seize', lambda: call('ptrace', 0x4206, 1, 0, 0)),\n"
            "    ('read', lambda: call('process_vm_readv', 1, vector(), 1, far(), 1, 0)),\n"
            "    ('write', lambda: call('process_vm_writev', 1, vector(), 1, far(), 1, 0)),\n"
            "    ('descriptors', lambda: call('pidfd_getfd', call('pidfd_open', 1, 0), 0, 0)),\n"
            "    ('mem', lambda: open('/proc/1/mem', 'r+b'))])",
            box,
        )


@attack()
async def words_in_the_agents_mouth(arena: Arena) -> str:
    """Answer the driver in the agent's place: frames on every descriptor and path that could lead to it."""
    frame = b"".join(
        struct.pack(">I", len(each)) + each for each in (b"ok", b"0", b"", b"forged", b"", b"0", b"0", b"0.1")
    )
    async with arena.fresh() as box:
        seen = await arena.probe(
            "import base64\n"
            "frame = base64.b64decode(FRAME)\n"
            "met = {}\n"
            "for fd in range(0, 64):\n"
            "    try: os.write(fd, frame); met[fd] = 'written'\n"
            "    except OSError as error: met.setdefault(error.strerror, 0)\n"
            "for path in ['/proc/1/fd/%d' % n for n in range(8)] + ['/dev/stdout', '/dev/stderr', '/dev/console', '/dev/tty']:\n"
            "    try: open(path, 'wb', 0).write(frame)\n"
            "    except OSError as error: met[path] = error.strerror\n"
            "stopped({k: v for k, v in met.items() if str(k)[:6] == '/proc/'})",
            box,
            FRAME=base64.b64encode(struct.pack(">I", len(frame)) + frame).decode(),
        )
        done = await box.exec(["echo", "true"])
        refuse_if(done.stdout != b"true\n", f"the driver believed {done}")
        return f"frames are only output; {seen}"


@attack()
async def the_agent_killed(arena: Arena) -> str:
    """Make a verdict of the box's death: whatever kills an agent must not look like a result."""
    async with arena.fresh() as box:
        call = asyncio.ensure_future(box.exec(["sleep", "30"], timeout=40))
        await asyncio.sleep(0.3)
        process = getattr(getattr(box, "_channel", None), "process", None)
        require(process is not None, "this backend's agent can not be killed from here")
        process.kill()  # type: ignore[union-attr]
        faults = []
        for step in (call, box.exec(["true"])):
            try:
                succeeded(f"a result: {await step}")
            except SandboxError as error:
                faults.append(error.fault)
        return f"the driver gets SandboxError: {', then '.join(faults)}"


@attack()
async def the_race_before_exec(arena: Arena) -> str:
    """Catch the next command between its fork and its exec, when it is still a copy of the agent."""
    async with arena.fresh() as box:
        await box.write("/tmp/racer.py", _RACER.encode())
        await sh(box, "setsid python3 /tmp/racer.py >/dev/null 2>&1 & sleep 0.3")
        for _ in range(300):
            await box.exec(["true"])
        caught = (await box.read("/tmp/caught")).decode()
        refuse_if(caught != "[]", f"caught {caught}")
        return "of 300 commands none was open to it before it had become what it is"

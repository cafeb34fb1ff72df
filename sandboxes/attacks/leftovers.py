"""Attacks that wait: what outlives a command, a time-out, a restore or the box."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path

from agentgym.sandboxes.attacks.arena import Arena, attack, refuse_if, require
from agentgym.sandboxes.conformance import sh
from agentgym.sandboxes.sandbox import Sandbox

_DAEMON = (
    "python3 -c 'import os, signal, time\n"
    "for s in range(1, 32):\n  s in (9, 17, 19) or signal.signal(s, signal.SIG_IGN)\n"
    "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nos.chdir(\"/\")\nnull = os.open(\"/dev/null\", 2)\n"
    'for fd in range(3): os.dup2(null, fd)\nos.execv("/bin/sleep", ["MARK", "600"])\' & '
)  # fmt: skip


def _on_host(mark: str) -> list[str]:
    """The processes of this host, as far as the driver sees them, whose command line holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


async def _gone(mark: str, patience: float = 10.0) -> bool:
    ends = time.monotonic() + patience
    while _on_host(mark):
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.1)
    return True


async def _plant(box: Sandbox) -> str:
    mark = f"agentgym-attack-{secrets.token_hex(6)}"
    await sh(box, _DAEMON.replace("MARK", mark) + "sleep 0.2")
    for _ in range(100):
        if mark.encode() in (await sh(box, "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'")).stdout.split(b"\n"):
            return mark
        await asyncio.sleep(0.1)
    require(False, "the daemon did not start")
    return mark


@attack()
async def a_daemon_after_close(arena: Arena) -> str:
    """Leave a daemon on the host that outlives its box: own session, two forks, deaf to signals, another name."""
    async with arena.fresh() as box:
        mark = await _plant(box)
        before = len(_on_host(mark))
        await box.close()
    refuse_if(not await _gone(mark), f"processes {_on_host(mark)} outlive the box")
    return f"{before} such processes were seen from the host, none after close"


@attack()
async def a_daemon_after_a_timeout(arena: Arena) -> str:
    """Leave a daemon that outlives a later command's time-out."""
    async with arena.fresh() as box:
        mark = await _plant(box)
        await box.exec(["sleep", "30"], timeout=0.2)
        seen = await sh(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        refuse_if(mark.encode() in seen.stdout, "the daemon lives")
        return "a time-out of any command ends every process of the box"


@attack("fork")
async def a_daemon_after_restore(arena: Arena) -> str:
    """Leave a daemon that changes files after a restore."""
    async with arena.fresh() as box:
        clean = await box.snapshot()
        mark = await _plant(box)
        await sh(
            box, "setsid sh -c 'while :; do touch /workspace/planted /tmp/planted; done' >/dev/null 2>&1 & sleep 0.2"
        )
        await box.restore(clean)
        await arena.backend.release(clean)
        await asyncio.sleep(0.3)
        seen = await sh(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls -A /workspace /tmp")
        refuse_if(mark.encode() in seen.stdout or b"planted" in seen.stdout, seen.stdout)
        return "no process and no file of it is left"


@attack("fork")
async def memory_of_the_kernel_after_restore(arena: Arena) -> str:
    """Pass a message to after the restore in segments, queues, semaphores, shared files, locks and keys."""
    script = r"""
import mmap
libc = ctypes.CDLL(None, use_errno=True)
key, met = 0x5EC, {}
def note(name, result):
    met[name] = "made" if result >= 0 else os.strerror(ctypes.get_errno())
note("shm", libc.shmget(key, 4096, 0o1600)); note("sem", libc.semget(key, 1, 0o1600)); note("msg", libc.msgget(key, 0o1600))
try: note("mq", call("mq_open", b"kept", 0o102, 0o600, None))
except OSError as error: met["mq"] = error.strerror
for place in ("/dev/shm", "/tmp", "/dev/mqueue", "/var/tmp", "/run/lock", "/run/layer", "/dev", "/proc/self", "/run"):
    try: open(place + "/kept", "w").write("x"); met[place] = "made"
    except OSError as error: met[place] = error.strerror
try: call("add_key", b"user", b"kept", b"x", 1, -4); met["key"] = "made"
except OSError as error: met["key"] = error.strerror
try: s = socket.socket(socket.AF_UNIX); s.bind("\0kept"); met["abstract"] = "made (with its process)"
except OSError as error: met["abstract"] = error.strerror
os.umask(0)
stopped(met)
"""
    look = r"""
libc = ctypes.CDLL(None, use_errno=True)
found = []
for name, call_ in (("shm", lambda: libc.shmget(0x5EC, 0, 0)), ("sem", lambda: libc.semget(0x5EC, 0, 0)), ("msg", lambda: libc.msgget(0x5EC, 0))):
    if call_() >= 0: found.append(name)
try: call("mq_open", b"kept", 2, 0, None); found.append("mq")
except OSError: pass
for place in ("/dev/shm", "/tmp", "/dev/mqueue", "/var/tmp", "/run/lock", "/run/layer", "/dev", "/run"):
    if os.path.exists(place + "/kept"): found.append(place)
try: call("request_key", b"user", b"kept", None, 0); found.append("key")
except OSError: pass
if "@kept" in open("/proc/net/unix").read(): found.append("abstract")
got(found) if found else stopped("nothing is found")
"""
    async with arena.fresh() as box:
        clean = await box.snapshot()
        made = await arena.probe(script, box)
        await box.restore(clean)
        await arena.backend.release(clean)
        return f"{await arena.probe(look, box)}; before: {made}"


@attack("fork")
async def modes_and_times_after_restore(arena: Arena) -> str:
    """Leave modes, times, attributes and sticky links on the scratch directories that a restore keeps."""
    async with arena.fresh() as box:
        view = "stat -c '%n %a %U' /workspace /tmp /dev/shm; ls -A /tmp /dev/shm /workspace; getfattr -d /tmp /workspace 2>/dev/null; umask; ulimit -a | md5sum"
        clean = await box.snapshot()
        before = await sh(box, view)
        await sh(box, "python3 -c \"import os; [os.setxattr(p, 'user.kept', b'1') for p in ('/workspace', '/tmp', '/dev/shm')]\"; "
                 "chmod 0 /tmp /dev/shm; ln -s /etc /workspace/etc; mkdir -p /workspace/a/b; chmod 0 /workspace/a /workspace; ulimit -n 9; umask 777")  # fmt: skip
        await box.restore(clean)
        await arena.backend.release(clean)
        after = await sh(box, view)
        refuse_if(before.stdout != after.stdout, f"{before.stdout!r} became {after.stdout!r}")
        kept = await arena.probe(
            "met = []\n"
            "for place in ('/workspace', '/tmp', '/dev/shm'):\n"
            "    if 'user.kept' in os.listxattr(place): met.append(place)\n"
            "got(met) if met else stopped('no attribute is kept')",
            box,
        )
        return f"the directories are as they were; {kept}"


@attack()
async def the_host_after_close(arena: Arena) -> str:
    """Leave mounts, shared segments, queues or sockets on the host."""

    def state() -> tuple[object, ...]:
        mounts = Path("/proc/self/mountinfo").read_text()
        ipc = [Path(f"/proc/sysvipc/{each}").read_text() for each in ("shm", "sem", "msg")]
        queues = sorted(os.listdir("/dev/mqueue")) if os.path.isdir("/dev/mqueue") else []
        shared = (
            sorted(each for each in os.listdir("/dev/shm") if "agentgym-kept" in each)
            if os.path.isdir("/dev/shm")
            else []
        )
        return mounts, ipc, queues, shared

    before = state()
    async with arena.fresh() as box:
        await sh(
            box,
            "ipcmk -M 4096 -Q -S 1; touch /dev/shm/agentgym-kept; mkdir -p /tmp/m; mount -t tmpfs x /tmp/m; python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('/tmp/s')\"",
        )
    after = state()
    for one, other in zip(before, after, strict=True):
        refuse_if(one != other, f"{one!r} became {other!r}")
    return "the host's mounts, segments, queues and shared files are as they were"

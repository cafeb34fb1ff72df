"""Attacks on memory: what a box can hold beyond its limit, in processes, files, segments and kernel buffers."""

from __future__ import annotations

from agentgym.errors import SandboxError
from agentgym.sandboxes.attacks.arena import MIB, SMALL, Arena, attack, refuse_if, succeeded
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.sandbox import SCRATCH_BYTES

_MOST = SMALL.memory_bytes + SMALL.disk_bytes + 2 * SCRATCH_BYTES
"""More than a box may ever hold, whatever a backend counts together."""


async def _hold(arena: Arena, script: str, what: str) -> str:
    """Run a script that prints how many bytes it holds, to its end or its death; then ask after the box."""
    async with arena.fresh() as box:
        program = f"import os, sys, time\nMOST = {_MOST}\ndef held(n): os.write(1, b'%d\\n' % n)\n{script}\n"
        try:
            done = await box.exec(["python3", "-c", program], timeout=40)
        except SandboxError as error:
            succeeded(f"the box died of {what}: {error}")
        numbers = done.stdout.split()
        held = int(numbers[-1]) if numbers else 0
        refuse_if(held > _MOST, f"{held >> 20} MiB are held, of at most {_MOST >> 20}")
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        end = done.killed_by or (last[0] if last else f"exit {done.exit_code}")
        return f"{end} at {held >> 20} MiB; {await alive(box, what)}"


@attack("memory")
async def one_hog(arena: Arena) -> str:
    """Take memory in one process until none is left."""
    return await _hold(
        arena,
        "kept, n = [], 0\nwhile n < 2 * MOST:\n  kept.append(bytearray(b'x' * (8 << 20))); n += 8 << 20; held(n)",
        "a hog",
    )


@attack("memory")
async def many_hogs(arena: Arena) -> str:
    """Take memory in many processes, each within what one may have."""
    async with arena.fresh() as box:
        hog = "python3 -c 'import time; x = bytearray(b\"x\" * (40 << 20)); time.sleep(2)'"
        try:
            done = await box.exec(["bash", "-c", f"for i in $(seq 16); do {hog} & done; wait"], timeout=60)
        except SandboxError as error:
            succeeded(f"the box died of many hogs: {error}")
        return f"{done.stderr.count(b'Killed')} of 16 were killed, {done.stderr.count(b'MemoryError')} refused; {await alive(box, 'many hogs')}"


@attack("memory")
async def files_that_are_memory(arena: Arena) -> str:
    """Fill /dev/shm, /tmp and the workspace together, then hog what is left."""
    return await _hold(
        arena,
        "n = 0\n"
        "for place in ('/dev/shm', '/tmp', '/workspace', '/run', '/dev', '/var/tmp'):\n"
        "  for i in range(40):\n"
        "    try:\n"
        "      with open('%s/fill%d' % (place, i), 'wb', 0) as f:\n"
        "        while f.tell() < 12 << 20: n += f.write(b'x' * (1 << 20)); held(n)\n"
        "    except OSError: break\n"
        "kept = []\n"
        "while n < 2 * MOST: kept.append(bytearray(b'x' * (8 << 20))); n += 8 << 20; held(n)",
        "full files",
    )


@attack("memory")
async def files_without_a_name(arena: Arena) -> str:
    """Hold memory in memfd and in deleted files, which no directory shows."""
    return await _hold(
        arena,
        "kept, n = [], 0\n"
        "while n < 2 * MOST:\n"
        "  fd = os.memfd_create('x'); kept.append(fd)\n"
        "  for _ in range(8): n += os.write(fd, b'x' * (1 << 20)); held(n)",
        "memfd",
    )


@attack("memory")
async def segments_that_outlive_processes(arena: Arena) -> str:
    """Hold memory in System V segments, queues and semaphores: killing their maker frees nothing."""
    return await _hold(
        arena,
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True); libc.shmat.restype = ctypes.c_void_p\n"
        "libc.shmget.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)\n"
        "libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int); libc.shmdt.argtypes = (ctypes.c_void_p,)\n"
        "n = 0\n"
        "while n < 2 * MOST:\n"
        "  segment = libc.shmget(0, 8 << 20, 0o1600)\n"
        "  if segment < 0: print(os.strerror(ctypes.get_errno()), file=sys.stderr); break\n"
        "  at = libc.shmat(segment, None, 0); ctypes.memset(at, 120, 8 << 20); libc.shmdt(at); n += 8 << 20; held(n)\n"
        "while n < 2 * MOST:\n"
        "  if libc.semget(0, 32000, 0o1600) < 0: print(os.strerror(ctypes.get_errno()), file=sys.stderr); break\n"
        "  n += 32000 * 64; held(n)",
        "segments",
    )


@attack("memory")
async def pipes_and_sockets(arena: Arena) -> str:
    """Hold memory in the kernel: full pipes and full socket buffers, in several processes."""
    return await _hold(
        arena,
        "import fcntl, socket\n"
        "n = 0\n"
        "for _ in range(6):\n"
        "  if os.fork(): continue\n"
        "  kept, mine = [], 0\n"
        "  try:\n"
        "    while mine < 150 << 20:\n"
        "      r, w = os.pipe(); os.set_blocking(w, False); kept += [r, w]\n"
        "      try: fcntl.fcntl(w, 1031, 1 << 20)\n"
        "      except OSError: pass\n"
        "      a, b = socket.socketpair(); a.setblocking(False); a.setsockopt(1, 7, 1 << 24); kept += [a, b]\n"
        "      try:\n"
        "        while 1: mine += os.write(w, b'x' * (1 << 16))\n"
        "      except BlockingIOError: pass\n"
        "      try:\n"
        "        while 1: mine += a.send(b'x' * (1 << 16))\n"
        "      except BlockingIOError: pass\n"
        "  except OSError: pass\n"
        "  open('/workspace/held%d' % os.getpid(), 'w').write(str(mine)); time.sleep(1); os._exit(0)\n"
        "try:\n"
        "  while 1: os.wait()\n"
        "except ChildProcessError: pass\n"
        "held(sum(int(open('/workspace/' + f).read() or 0) for f in os.listdir('/workspace') if f.startswith('held')))",
        "full buffers",
    )


@attack("memory")
async def a_flood_of_empty_files(arena: Arena) -> str:
    """Make empty files and directories without end: they have no size, but the kernel remembers each."""
    return await _hold(
        arena,
        "n, ends = 0, time.monotonic() + 25\n"
        "for place in ('/workspace', '/tmp', '/dev/shm'):\n"
        "  try:\n"
        "    for top in range(1000):\n"
        "      os.mkdir('%s/flood%d' % (place, top)); os.chdir('%s/flood%d' % (place, top))\n"
        "      for i in range(1000): os.mknod('%d' % i); n += 1\n"
        "      held(n * 1024)\n"
        "      if time.monotonic() > ends: break\n"
        "  except OSError as error: print(place, error.strerror, 'after', n, file=sys.stderr)",
        "empty files",
    )


@attack("memory")
async def a_huge_reply(arena: Arena) -> str:
    """Write as much as the driver is willing to keep, of both streams, and see the agent die of holding it."""
    async with arena.fresh() as box:
        most = 32 * MIB
        try:
            done = await box.exec(
                ["bash", "-c", "head -c 100M /dev/zero & head -c 100M /dev/zero >&2; wait"], max_output=most
            )
        except SandboxError as error:
            succeeded(f"the box died of its output: {error}")
        refuse_if(len(done.stdout) > most or len(done.stderr) > most, "more came back than was asked for")
        kept = (len(done.stdout) + len(done.stderr)) >> 20
        return f"{done.killed_by or done.exit_code}; {kept} MiB came back; {await alive(box, 'its output')}"

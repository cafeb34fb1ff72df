"""Attacks on another box of the same driver: files, processes, segments, sockets and limits that two boxes might share."""

from __future__ import annotations

import secrets

from agentgym.sandboxes.attacks.arena import Arena, attack, refuse_if
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.conformance import sh

_OFFER = r"""
import ctypes, os, socket, sys, time
mark, key = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None)
for place in ("/tmp", "/dev/shm", "/workspace", "/var/tmp"):
    try: open(f"{place}/{mark}", "w").write("x"); os.chmod(f"{place}/{mark}", 0o666)
    except OSError: pass
libc.shmget(key, 4096, 0o1666); libc.msgget(key, 0o1666); libc.semget(key, 1, 0o1666)
servers = [socket.socket(socket.AF_UNIX), socket.create_server(("0.0.0.0", 20000 + key % 20000))]
servers[0].bind("\0" + mark); servers[0].listen()
open("/workspace/ready", "w").close()
time.sleep(60)
"""


@attack()
async def what_a_neighbour_offers(arena: Arena) -> str:
    """Find a neighbour's files, segments, queues, sockets and processes, offered to everybody."""
    mark, key = f"agentgym-attack-{secrets.token_hex(6)}", secrets.randbelow(1 << 20) + 1
    async with arena.fresh() as giver, arena.fresh() as taker:
        await giver.write("/tmp/offer.py", _OFFER.encode())
        await sh(
            giver,
            f"setsid python3 /tmp/offer.py {mark} {key} >/dev/null 2>&1 & for i in $(seq 80); do test -e /workspace/ready && break; sleep 0.1; done",
        )
        refuse_if(
            not (await sh(giver, f"test -e /workspace/ready -a -e /tmp/{mark}")).ok,
            "the neighbour did not offer anything",
        )
        return await arena.probe(
            "found, libc = [], ctypes.CDLL(None)\n"
            "found += [p for p in ('/tmp', '/dev/shm', '/workspace', '/var/tmp') if os.path.exists(p + '/' + MARK)]\n"
            "found += [n for n, r in (('shm', libc.shmget(KEY, 0, 0)), ('msg', libc.msgget(KEY, 0)), ('sem', libc.semget(KEY, 0, 0))) if r >= 0]\n"
            "if MARK in open('/proc/net/unix').read(): found.append('abstract socket listed')\n"
            "for name, kind, address in (('abstract', socket.AF_UNIX, '\\0' + MARK), ('tcp', socket.AF_INET, ('127.0.0.1', 20000 + KEY % 20000))):\n"
            "    try: socket.socket(kind).connect(address); found.append(name)\n"
            "    except OSError: pass\n"
            "for pid in os.listdir('/proc'):\n"
            "    try: found += [pid] if pid.isdigit() and int(pid) != os.getpid() and MARK.encode() in open('/proc/%s/cmdline' % pid, 'rb').read() else []\n"
            "    except OSError: pass\n"
            "got(found) if found else stopped('nothing of it is in sight')",
            taker,
            MARK=mark,
            KEY=key,
        )


@attack()
async def signals_to_a_neighbour(arena: Arena) -> str:
    """Kill every process number there is, in the hope of a neighbour's or the host's."""
    async with arena.fresh() as victim, arena.fresh() as killer:
        await sh(victim, "setsid sleep 300 >/dev/null 2>&1 & sleep 0.3")
        before = await sh(victim, "cat /proc/[0-9]*/comm | grep -c sleep")
        seen = await arena.probe(
            "hit = 0\n"
            "for pid in [*range(2, 70000)]:\n"
            "    if pid == os.getpid(): continue\n"
            "    try: os.kill(pid, 9); hit += 1\n"
            "    except OSError: pass\n"
            "for group in range(2, 3000):\n"
            "    if group == os.getpgrp(): continue\n"
            "    try: os.killpg(group, 9); hit += 1\n"
            "    except OSError: pass\n"
            "stopped('%d of 70000 were hit, all in its own box' % hit)",
            killer,
        )
        after = await sh(victim, "cat /proc/[0-9]*/comm | grep -c sleep")
        refuse_if(before.stdout != after.stdout, f"{before.stdout!r} became {after.stdout!r}")
        return f"{seen}; {await alive(victim, 'a neighbour')}"


@attack("processes")
async def a_neighbours_share_of_processes(arena: Arena) -> str:
    """Use up the processes of all boxes by those of one."""
    async with arena.fresh() as greedy, arena.fresh() as other:
        greed = "import os, time\nfor _ in range(200):\n  if not os.fork(): os.setsid(); time.sleep(300)"
        await sh(greedy, f"python3 -c '{greed}' 2>/dev/null; sleep 0.3", timeout=20)
        done = await sh(other, "for i in $(seq 30); do sleep 1 & done; wait; echo all")
        refuse_if(done.stdout != b"all\n" or done.stderr, done)
        return "the other box started its thirty all the same"


@attack("memory")
async def a_neighbours_memory(arena: Arena) -> str:
    """Make the kernel kill a neighbour by one's own hunger."""
    async with arena.fresh() as greedy, arena.fresh() as other:
        await sh(
            other,
            "setsid python3 -c 'import time; x = bytearray(b\"x\" * (60 << 20)); time.sleep(300)' >/dev/null 2>&1 & sleep 1",
        )
        hog = await greedy.exec(["python3", "-c", "k = []\nwhile 1: k.append(bytearray(b'x' * (8 << 20)))"], timeout=40)
        done = await sh(other, "cat /proc/[0-9]*/comm")
        refuse_if(b"python3" not in done.stdout, f"the neighbour lost its process: {done.stdout!r}")
        return f"the hog: {hog.killed_by or hog.exit_code}; the neighbour's process lives"

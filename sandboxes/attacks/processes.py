"""Attacks by number: processes, threads, and commands that will not end."""

from __future__ import annotations

import asyncio
import time

from agentgym.sandboxes.attacks.arena import SMALL, Arena, attack, refuse_if
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.conformance import sh


@attack("processes")
async def fork_bomb(arena: Arena) -> str:
    """Fork without end, in its own session, deaf to signals; hold every slot."""
    async with arena.fresh() as bombed, arena.fresh() as neighbour:
        done = await sh(bombed, "trap '' TERM HUP INT; bomb() { bomb | bomb & }; bomb; setsid sleep 3", timeout=4)
        refuse_if(
            not (await sh(neighbour, "for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait")).ok, "a neighbour can not fork"
        )
        await bombed.exec(["sleep", "9"], timeout=0.2)
        return f"the bomb: {done.killed_by or done.exit_code}, {done.stderr[-60:].decode('utf-8', 'replace').strip()!r}; {await alive(bombed, 'a bomb')}"


@attack("processes")
async def more_processes_than_allowed(arena: Arena) -> str:
    """Start more processes than the limit."""
    return await _count(arena, "if not os.fork(): time.sleep(60); os._exit(0)")


@attack("processes")
async def more_threads_than_allowed(arena: Arena) -> str:
    """Start more threads than the limit for processes."""
    return await _count(
        arena, "threading.stack_size(65536); threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )


async def _count(arena: Arena, step: str) -> str:
    async with arena.fresh() as box:
        seen = await arena.probe(
            "import threading\ncount, ends = 0, time.monotonic() + 20\n"
            "try:\n"
            f"    while count < 2 * LIMIT and time.monotonic() < ends:\n        {step}\n        count += 1\n"
            "except (OSError, RuntimeError) as error: stopped('%s after %d of %d' % (error, count, LIMIT))\n"
            "got(count)",
            box,
            LIMIT=SMALL.processes,
        )
        await box.exec(["sleep", "9"], timeout=0.2)
        return f"{seen}; {await alive(box, 'them')}"


@attack("processes")
async def zombies(arena: Arena) -> str:
    """Leave dead children that nobody buries, until no process can be started."""
    async with arena.fresh() as box:
        await sh(box, "for i in $(seq 120); do (setsid true &) ; done; sleep 0.5")
        done = await sh(box, "for i in $(seq 20); do sleep 0.05 & done; wait; ls /proc | grep -c '^[0-9]'")
        refuse_if(not done.ok, done)
        return f"they are buried: {done.stdout.decode().strip()} processes are left"


@attack()
async def deaf_to_its_timeout(arena: Arena) -> str:
    """Outlive the time-out: ignore signals, leave the session, fork in a loop, block in the kernel."""
    async with arena.fresh() as box:
        began = time.monotonic()
        done = await sh(
            box,
            "trap '' TERM INT HUP QUIT; mkfifo wait; (trap '' TERM; exec setsid cat wait) & "
            "python3 -c 'import os, signal\nfor s in range(1, 32):\n  s in (9, 19) or signal.signal(s, signal.SIG_IGN)\n"
            "while 1: os.fork() or os.setsid()' & while :; do sleep 1; done",
            timeout=2,
        )
        refuse_if(not done.timed_out or time.monotonic() - began > 60, done)
        left = await sh(box, "cat /proc/[0-9]*/comm | sort | uniq -c | tr '\\n' ' '")
        refuse_if(b"python" in left.stdout or b"sleep" in left.stdout, left.stdout)
        return f"killed by {done.killed_by}; left: {left.stdout.decode().strip()}"


@attack()
async def a_changed_name(arena: Arena) -> str:
    """Hide from the time-out's kill under another name, session and parent, the standard streams closed."""
    async with arena.fresh() as box:
        await sh(
            box,
            "python3 -c 'import os, ctypes, time\n"
            "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
            'ctypes.CDLL(None).prctl(15, b"agent", 0, 0, 0)\nfor fd in range(3): os.close(fd)\n'
            'while 1:\n  open("/workspace/beat", "a").write(".")\n  time.sleep(0.05)\' & sleep 0.5; sleep 60',
            timeout=2,
        )
        await asyncio.sleep(0.3)
        first = await sh(box, "cat /workspace/beat | wc -c")
        await asyncio.sleep(0.6)
        second = await sh(box, "cat /workspace/beat | wc -c")
        refuse_if(first.stdout != second.stdout, f"its heart went on: {first.stdout!r}, {second.stdout!r}")
        return f"dead with the time-out, after {first.stdout.decode().strip()} beats"

"""Attacks on the disk: each writable place filled, files without bound, files that only seem large."""

from __future__ import annotations

import asyncio
import shutil
import tempfile

from agentgym.sandboxes.attacks.arena import MIB, SMALL, Arena, attack, refuse_if, succeeded
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.conformance import sh
from agentgym.sandboxes.sandbox import SCRATCH_BYTES


@attack("disk")
async def fill_every_place(arena: Arena) -> str:
    """Fill every directory that takes a file, to its end."""
    bound = 3 * SMALL.disk_bytes + 2 * SCRATCH_BYTES
    async with arena.fresh() as box:
        return await arena.probe(
            "total, places = 0, {}\n"
            "tops = ['/' + n for n in os.listdir('/')] + ['/dev/shm', '/dev/mqueue', '/run/lock', '/var/tmp', '/run/layer', '/usr/local']\n"
            "for place in tops:\n"
            "    if place == '/proc': continue\n"
            "    for i in range(400):\n"
            "        try:\n"
            "            with open('%s/fill%d' % (place, i), 'wb', 0) as f:\n"
            "                while f.tell() < 8 << 20: total += f.write(b'x' * (1 << 18)); places[place] = places.get(place, 0) + (1 << 18)\n"
            "        except OSError as error: why = error; break\n"
            "        if total > BOUND: got(places)\n"
            "stopped({p: '%d MiB' % (n >> 20) for p, n in places.items()})",
            box,
            BOUND=bound,
        )


@attack("disk")
async def work_on_a_full_disk(arena: Arena) -> str:
    """Fill the disk, so that the driver can neither run, read, write nor restore."""
    async with arena.fresh() as box:
        clean = await box.snapshot()
        await sh(
            box,
            "for p in . /tmp /dev/shm; do for i in 1 2 3 4 5 6 7 8 9; do head -c 15M /dev/zero > $p/fill$i; done; done; :",
        )
        try:
            await box.write("more", b"x" * MIB)
        except OSError as error:
            seen = error.strerror
        else:
            seen = "a write that still found room"
        refuse_if(await box.read("fill1", 64 * MIB) == b"", "what is there can not be read")
        await box.restore(clean)
        await arena.backend.release(clean)
        await box.write("more", b"x" * MIB)
        return f"a write: {seen}; after a restore there is room; {await alive(box, 'a full disk')}"


@attack("disk")
async def one_file_too_large(arena: Arena) -> str:
    """Write one file past the limit for a file."""
    async with arena.fresh() as box:
        done = await sh(box, f"head -c {SMALL.file_bytes + MIB} /dev/zero > large; stat -c %s large")
        refuse_if(int(done.stdout.split()[-1]) > SMALL.file_bytes, done)
        return f"{done.stderr.decode('utf-8', 'replace').strip() or 'a signal'} at {int(done.stdout.split()[-1]) >> 20} MiB"


@attack()
async def a_sparse_terabyte(arena: Arena) -> str:
    """Make a file of a terabyte that takes no room, and have the driver read, freeze and fork it."""
    async with arena.fresh() as box:
        made = await sh(box, "truncate -s 1T sparse || truncate -s 15M sparse; stat -c %s sparse")
        size = int(made.stdout.split()[-1])
        try:
            data = await box.read("sparse")
            seen = f"{len(data)} bytes came back"
            refuse_if(len(data) > 1 << 24, seen)
        except OSError as error:
            seen = f"reading it: {error.strerror}"
        try:
            taken = await asyncio.wait_for(box.snapshot(), 60)
        except TimeoutError:
            succeeded("a snapshot of it did not end")
        await arena.backend.release(taken)
        return f"the file has {size >> 20} MiB; {seen}; a snapshot takes its holes as holes"


@attack("disk")
async def the_drivers_disk(arena: Arena) -> str:
    """Fill the driver's temporary directory with snapshots of an incompressible tree."""
    async with arena.fresh() as box:
        await sh(
            box,
            "for i in 1 2; do head -c 10M /dev/urandom > f$i; done; for i in $(seq 200); do ln f1 link$i || cp f1 link$i; done; :",
        )
        before = shutil.disk_usage(tempfile.gettempdir()).used
        try:
            taken = await box.snapshot()
        except Exception as error:
            return f"refused: {error}"
        grown = shutil.disk_usage(tempfile.gettempdir()).used - before
        await arena.backend.release(taken)
        bound = 2 * SMALL.disk_bytes + 64 * MIB
        refuse_if(grown > bound + 256 * MIB, f"{grown >> 20} MiB")
        return f"the snapshot of 200 hard links to 10 MiB took less than {bound >> 20} MiB"


@attack()
async def a_deep_tree(arena: Arena) -> str:
    """Nest directories deeper than any path may be long, so that nobody can walk, freeze or remove them."""
    async with arena.fresh() as box:
        clean = await box.snapshot()
        deep = await arena.probe(
            "made = 0\n"
            "try:\n"
            "    for made in range(3000): os.mkdir('d' * 100); os.chdir('d' * 100)\n"
            "except OSError: pass\n"
            "stopped('%d levels' % made)",
            box,
        )
        await box.restore(clean)
        await arena.backend.release(clean)
        left = await sh(box, "ls -A /workspace | wc -l")
        refuse_if(left.stdout.strip() != b"0", left)
        return f"{deep} are gone after a restore; {await alive(box, 'a deep tree')}"

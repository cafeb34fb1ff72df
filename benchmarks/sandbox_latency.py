"""Print what the bubblewrap backend's calls take: `python benchmarks/sandbox_latency.py [rounds]`.

One box at a time unless the row says otherwise; the workspace is 300 files in 20 directories, 1 MB in all.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.sandbox import SandboxSpec

AT_ONCE = 8


async def timed(name: str, rounds: int, call: Callable[[], Awaitable[object]]) -> None:
    """Time a call, and close what it returns, if that can be closed, off the clock."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        made = await call()
        took.append((time.perf_counter() - began) * 1e3)
        if isinstance(made, Bubblewrap):
            await made.close()
    took.sort()
    print(f"| {name} | {statistics.median(took):.1f} | {took[int(len(took) * 0.95)]:.1f} |", flush=True)


async def crowd() -> None:
    boxes = await asyncio.gather(*(Bubblewrap.start(SandboxSpec()) for _ in range(AT_ONCE)))
    await asyncio.gather(*(box.exec(["true"]) for box in boxes))
    await asyncio.gather(*(box.close() for box in boxes))


async def main(rounds: int, tree: Path) -> None:
    for number in range(300):
        (tree / f"d{number % 20}").mkdir(exist_ok=True)
        (tree / f"d{number % 20}" / f"f{number}").write_bytes(b"x" * 3500)
    await (await Bubblewrap.start(SandboxSpec())).close()
    spec = SandboxSpec(workspace=tree)
    print("| call | p50 ms | p95 ms |\n|---|---|---|")
    await timed("start, empty workspace", rounds, lambda: Bubblewrap.start(SandboxSpec()))
    await timed("start, 300 files", rounds, lambda: Bubblewrap.start(spec))
    box = await Bubblewrap.start(spec)
    await timed("exec `true`", rounds * 10, lambda: box.exec(["true"]))
    await timed("exec `bash -c :`", rounds * 10, lambda: box.exec(["bash", "-c", ":"]))
    await timed("write 1 kB", rounds * 10, lambda: box.write("file", bytes(1000)))
    await timed("read 1 kB", rounds * 10, lambda: box.read("file"))
    await timed("snapshot, 300 files", rounds, box.snapshot)
    taken = await box.snapshot()
    await timed("restore, 300 files", rounds, lambda: box.restore(taken))
    await timed("fork, 300 files", rounds, box.fork)
    await box.close()
    await timed(f"{AT_ONCE} boxes at once: start, exec, close", max(3, rounds // 4), crowd)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, Path(place)))

"""What sandboxes cost, beside the kernel's floor, bare subprocesses and the peers, in one run.

    python benchmarks/sandbox_latency.py [--rounds 20] [--backend NAME]...

Rates at several streams are of that many boxes (or subprocesses) at once, each doing one thing after another.  The
workspace of "300 files" is 300 files in 20 directories, 1 MB in all.  Needs a C compiler, and root for the floor of a sandbox.  Peers that are not
installed, and backends that do not work here, are left out and named.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import importlib.util
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentgym import backends
from agentgym.sandboxes.sandbox import Sandbox, SandboxSpec

STREAMS = (1, 8, 32)
COMMAND = "/usr/bin/true"
Call = Callable[[], Awaitable[object]]


@dataclass
class Table:
    """Rows of p50 and p95 in ms; `p50` remembers them by name for the ratios."""

    p50: dict[str, float] = field(default_factory=dict)

    def head(self, title: str) -> None:
        print(f"\n## {title}\n\n| call | p50 ms | p95 ms | |\n|---|---|---|---|", flush=True)

    def row(self, name: str, took: Sequence[float], note: str = "") -> None:
        values = sorted(took)
        self.p50[name] = statistics.median(values)
        high = values[min(len(values) - 1, int(len(values) * 0.95))]
        print(f"| {name} | {self.p50[name]:.2f} | {high:.2f} | {note} |", flush=True)


async def timed(rounds: int, call: Call, after: Callable[[object], Awaitable[object]] | None = None) -> list[float]:
    """Milliseconds of each call; what comes after it is off the clock."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        made = await call()
        took.append((time.perf_counter() - began) * 1e3)
        if after is not None:
            await after(made)
    return took


async def rate(streams: Sequence[Call], seconds: float = 2.0) -> float:
    """Calls a second, all streams together."""
    counts = [0] * len(streams)
    end = time.perf_counter() + seconds

    async def run(number: int) -> None:
        while time.perf_counter() < end:
            await streams[number]()
            counts[number] += 1

    began = time.perf_counter()
    await asyncio.gather(*(run(number) for number in range(len(streams))))
    return sum(counts) / (time.perf_counter() - began)


def subprocess_rate(streams: int, seconds: float = 2.0) -> float:
    """What one process can spawn and reap with `subprocess.run` in as many threads."""
    end = time.perf_counter() + seconds

    def run() -> int:
        count = 0
        while time.perf_counter() < end:
            subprocess.run([COMMAND], stdin=subprocess.DEVNULL, capture_output=True)
            count += 1
        return count

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(streams) as pool:
        total = sum(future.result() for future in [pool.submit(run) for _ in range(streams)])
    return total / (time.perf_counter() - began)


class Floor:
    """The kernel's share of a sandbox or of a command, by a C program: p50 ms, p95 ms, how many a second."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "floor"
        source = Path(__file__).with_name("floor.c")
        subprocess.run(["cc", "-O2", "-static", "-o", self.program, source], check=True)

    def measure(self, rounds: int, streams: int, *program: str) -> tuple[float, float, float]:
        command = [self.program, str(rounds), str(streams), *program]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        p50, p95, each_second = map(float, done.stdout.split())
        return p50, p95, each_second


def static() -> bytes:
    """A program without a dynamic linker: what is left is the sandbox's own share, a process and its exec."""
    with tempfile.TemporaryDirectory() as place:
        program = Path(place) / "nothing"
        source = "int main(void) { return 0; }"
        subprocess.run(
            ["cc", "-O2", "-static", "-s", "-x", "c", "-o", program, "-"], input=source, text=True, check=True
        )
        return program.read_bytes()


async def bench_exec(backend: type[Sandbox], table: Table, rounds: int, floor: Floor) -> None:
    table.head(f"{backend.name}: commands")
    took, bottom, mine = [], [], []
    box = await backend.start(SandboxSpec())
    for _ in range(rounds * 20):  # turn by turn: what disturbs the one disturbs the other
        began = time.perf_counter()
        subprocess.run([COMMAND], stdin=subprocess.DEVNULL, capture_output=True)  # noqa: ASYNC221  what is timed
        took.append((time.perf_counter() - began) * 1e3)
        mine += await timed(1, lambda: box.exec([COMMAND]))
        bottom.append(floor.measure(1, 1, COMMAND)[0])
    table.row("the kernel's floor: spawn and wait in C", bottom)
    table.row("bare subprocess", took)
    table.row("exec", mine, f"{statistics.median(mine) / statistics.median(took):.2f} of a bare subprocess")
    await box.write("nothing", static(), 0o755)
    table.row("exec a static program that does nothing", await timed(rounds * 20, lambda: box.exec(["./nothing"])))
    table.row("exec bash -c :", await timed(rounds * 5, lambda: box.exec(["bash", "-c", ":"])))
    table.row("write 1 kB", await timed(rounds * 10, lambda: box.write("file", bytes(1000))))
    table.row("read 1 kB", await timed(rounds * 10, lambda: box.read("file")))
    await box.close()
    print("\n| streams | execs/s | bare subprocesses/s | ratio |\n|---|---|---|---|")
    for count in STREAMS:
        boxes = [await backend.start(SandboxSpec()) for _ in range(count)]
        ours = [await rate([lambda box=box: box.exec([COMMAND]) for box in boxes]) for _ in range(2)]
        bare = [await asyncio.to_thread(subprocess_rate, count) for _ in range(2)]
        print(f"| {count} | {max(ours):.0f} | {max(bare):.0f} | {max(ours) / max(bare):.2f} |", flush=True)
        await asyncio.gather(*(box.close() for box in boxes))


async def bench_life(backend: type[Sandbox], table: Table, rounds: int, tree: Path, floor: Floor) -> None:
    table.head(f"{backend.name}: boxes")
    spec, empty = SandboxSpec(workspace=tree), SandboxSpec()

    async def close(made: object) -> None:
        assert isinstance(made, Sandbox)
        await made.close()

    await close(await backend.start(empty))
    await backend.tidy()
    note = ""
    cold, bottom = [], []
    for _ in range(rounds):
        cold += await timed(1, lambda: backend.start(empty), close)
        if os.geteuid() == 0:
            bottom.append(floor.measure(1, 1)[0])
    if bottom:
        table.row("the kernel's floor", bottom)
        note = f"{statistics.median(bottom) / statistics.median(cold):.2f} of the floor's rate"
    table.row("start, cold, empty", cold, note)
    table.row("start, cold, 300 files", await timed(rounds, lambda: backend.start(spec), close))
    warm = []
    for _ in range(rounds):
        await backend.warm_up(empty, 1)  # type: ignore[attr-defined]
        warm += await timed(1, lambda: backend.start(empty), close)
    table.row("start, warm, empty", warm, f"{statistics.median(warm) / table.p50['exec']:.1f} execs")
    box = await backend.start(spec)
    await box.exec(["sh", "-c", "echo x > d1/f1; rm d2/f2; mkdir n; echo y > n/y"])
    table.row("snapshot, 300 files, few changed", await timed(rounds, box.snapshot))
    taken = await box.snapshot()
    table.row("restore, 300 files, few changed", await timed(rounds, lambda: box.restore(taken)))
    table.row("fork, 300 files, few changed", await timed(rounds, box.fork, close))
    await box.close()
    print("\n| streams | starts/s | with a command | the floor's | ratio | with a command |\n|---|---|---|---|---|---|")
    for count in STREAMS:

        async def life(*command: str) -> None:
            box = await backend.start(empty)
            if command:
                await box.exec(command)
            await box.close()

        starts, lives, bottoms = [], [], [float("nan")]
        for _ in range(3):  # turn by turn, and the floor for as long: its namespaces, too, have to be taken down
            starts.append(await rate([life] * count))
            lives.append(await rate([lambda: life(COMMAND)] * count))
            if os.geteuid() == 0:
                bottoms.append(floor.measure(2000 // count, count)[2])
        row = [max(starts), max(lives), max(bottoms[1:], default=bottoms[0])]
        print(
            f"| {count} | {row[0]:.1f} | {row[1]:.1f} | {row[2]:.1f} | {row[0] / row[2]:.2f} | {row[1] / row[2]:.2f} |",
            flush=True,
        )


async def bench_memory(backend: type[Sandbox], boxes: int) -> None:
    """What this machine has less of, over many idle boxes that have all run a command once."""
    await (await backend.start(SandboxSpec())).close()
    await backend.tidy()
    before, opened = available(), []
    for _ in range(0, boxes, 8):
        opened += await asyncio.gather(*(backend.start(SandboxSpec()) for _ in range(8)))
    await asyncio.gather(*(box.exec([COMMAND]) for box in opened))
    await asyncio.sleep(1)
    used = (before - available()) / len(opened)
    print(
        f"\n{backend.name}: {used / 2**20:.2f} MiB of memory an idle box ({len(opened)}, by /proc/meminfo)", flush=True
    )
    await asyncio.gather(*(box.close() for box in opened))
    await backend.tidy()


def available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no /proc/meminfo here")


async def main(rounds: int, names: list[str], folder: Path) -> None:
    tree = folder / "tree"
    for number in range(300):
        (tree / f"d{number % 20}").mkdir(parents=True, exist_ok=True)
        (tree / f"d{number % 20}" / f"f{number}").write_bytes(b"x" * 3500)
    floor = Floor(folder)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, kernel {os.uname().release}")
    for name in names:
        backend = backends.load(name)
        if why := backend.unavailable():
            print(f"\n{name} does not work here: {why}")
            continue
        table = Table()
        keep, backend.spares = getattr(backend, "spares", 0), 0  # type: ignore[attr-defined]  # unless a row says so
        await bench_exec(backend, table, rounds, floor)
        await bench_life(backend, table, rounds, tree, floor)
        await bench_memory(backend, 24 if name == "docker" else 160)
        backend.spares = keep  # type: ignore[attr-defined]
    await peers(rounds)


async def peers(rounds: int) -> None:
    """The docker SDK's exec_run and SWE-ReX's local runtime, where they are."""
    table, left_out = Table(), []
    table.head("peers")
    if "docker" in backends.names() and backends.load("docker").unavailable() is None:
        table.row("docker SDK exec_run", await asyncio.to_thread(docker_exec_run, rounds))
    else:
        left_out.append("docker SDK (no daemon)")
    if importlib.util.find_spec("swerex"):
        table.row("SWE-ReX local execute", await swerex_local(rounds))
    else:
        left_out.append("SWE-ReX (pip install swe-rex)")
    if left_out:
        print("\nleft out:", ", ".join(left_out))


def docker_exec_run(rounds: int) -> list[float]:
    import docker

    from agentgym.sandboxes.docker_images import reference

    client = docker.from_env()
    box = client.containers.run(reference("base"), ["sleep", "600"], detach=True, network_mode="none", auto_remove=True)
    try:
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            box.exec_run([COMMAND])
            took.append((time.perf_counter() - began) * 1e3)
        return took
    finally:
        box.kill()
        client.close()


async def swerex_local(rounds: int) -> list[float]:
    from swerex.deployment.local import LocalDeployment
    from swerex.runtime.abstract import Command

    deployment = LocalDeployment()
    await deployment.start()
    try:
        return await timed(rounds * 5, lambda: deployment.runtime.execute(Command(command=[COMMAND])))
    finally:
        await deployment.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--backend", action="append", help="default: every one installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(options.rounds, options.backend or backends.names(), Path(place)))

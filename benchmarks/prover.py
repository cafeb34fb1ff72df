"""What a step of a proof costs beside raw coqidetop on the same proofs, what a warm open takes, what ten provers hold.

    python benchmarks/prover.py [--modules Coq.Lists.List ...] [--theorems 60]
    python benchmarks/prover.py --library 20       # every proof of 20 files, beside coqc of the same files

"Raw" is coqidetop without a box, driven by the fewest calls that say the same (add a sentence, ask for the goals), its
answers not read beyond their end.  It is in a session of its own, as a box is: on a busy machine the kernel's scheduler
lets groups take turns (sched_autogroup), and caches are cold after each; within our own, raw needs 20 % less.  Ours asks
Coq for the same and knows after each step whether goals are left; it reads them when somebody looks, as searches and
episodes do, so there is a row for that, too.  All are timed around the steps of proofs only, in processor time, driver and
prover apart, since a busy machine changes the wall time of either.  Needs Coq (apt-get install coq) and bubblewrap.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq import library, xml
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import PROOF, CoqProver, header_texts
from agentgym.envs.prover.coq.session import ARGUMENTS, ENV, PROGRAM
from agentgym.envs.prover.sentences import as_step
from agentgym.runtime import Runtime

DATA = Path(library.__file__).parents[1] / "data"
LIST = json.loads((DATA / f"coq-stdlib-{library.coq_version()}.json").read_text())["files"]
MODULES = ["Coq.Lists.List", "Coq.Sorting.Permutation", "Coq.ZArith.Znumtheory", "Coq.NArith.Ndigits"]
_STATE = re.compile(rb'<state_id val="(\d+)"/><union')


@dataclass
class Cost:
    """Processor seconds of `steps` steps."""

    steps: int = 0
    driver: float = 0.0
    prover: float = 0.0

    def row(self, name: str) -> str:
        total = self.driver + self.prover
        per = [1e3 * each / self.steps for each in (self.driver, self.prover)]
        return f"| {name} | {self.steps} | {per[1]:.3f} | {per[0]:.3f} | {self.steps / total:.0f} | {self.steps / self.prover:.0f} |"


class Raw:
    """coqidetop and nothing else."""

    def __init__(self, module: str) -> None:
        self.process = subprocess.Popen(
            [PROGRAM, *ARGUMENTS, "-top", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENV},
            start_new_session=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self.ask(xml.INIT, 1)
        self.tip = 1

    def ask(self, call: bytes, count: int) -> bytes:
        os.write(self._in, call)
        said = b""
        while said.count(xml.END) < count:
            said += os.read(self._out, 1 << 16)
        return said

    def run(self, text: str) -> None:
        match = _STATE.search(self.ask(xml.add(text, self.tip) + xml.GOAL, 2))
        assert match is not None, text
        self.tip = int(match[1])

    def back(self, state: int) -> None:
        self.ask(xml.edit_at(state), 1)
        self.tip = state


def cpu(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def problems(module: str, count: int | None) -> list[tuple[Problem, list[str]]]:
    """The first tasks of a file, with their own proofs."""
    file = library.read(module)
    at = {row["at"] for row in LIST[module]["theorems"]}
    theorems = [each for each in file.theorems if each.header_end in at]
    return [
        (
            Problem(module, file.text[: each.header_end], each.statement, each.name),
            list(each.steps),
        )
        for each in theorems[:count]
    ]


def raw(prover: Raw, problem: Problem, steps: list[str], done: int, cost: Cost) -> int:
    """One proof, its header's sentences from `done` on first; how many it has."""
    header = header_texts(problem.header)
    for text in header[done:]:
        prover.run(text)
    start = prover.tip
    prover.run(problem.statement)
    prover.run(PROOF)
    said = [as_step(step) for step in steps]
    with measured(cost, prover.process.pid, len(steps)):
        for step in said:
            prover.run(step)
    prover.back(start)
    return len(header)


async def ours(prover: CoqProver, pool: Pool, problem: Problem, steps: list[str], read: bool, cost: Cost) -> None:
    state = (await prover.open(problem)).state
    with measured(cost, pool._idle[-1]._talk.line.pid, len(steps)):
        for step in steps:
            result = await prover.run_tac(state, step, 30)
            assert result.ok, (problem.name, step, result)
            state = result.state
            assert not read or result.goals.count >= 0


@contextmanager
def measured(cost: Cost, pid: int, steps: int) -> Iterator[None]:
    driver, before = time.process_time(), cpu(pid)
    yield
    cost.driver, cost.prover = cost.driver + time.process_time() - driver, cost.prover + cpu(pid) - before
    cost.steps += steps


async def side_by_side(modules: list[str], theorems: int, pools: tuple[Pool, Pool]) -> None:
    """All do each proof in turn, so that whatever else the machine does falls on all."""
    total = [Cost(), Cost(), Cost()]
    for module in modules:
        bare, done = Raw(module), 0
        costs = [Cost(), Cost(), Cost()]
        for problem, steps in problems(module, theorems):
            done = raw(bare, problem, steps, done, costs[0])
            for pool, read, cost in zip(pools, (False, True), costs[1:], strict=True):
                await ours(CoqProver(pool), pool, problem, steps, read, cost)
        bare.process.kill()
        bare.process.wait()
        print(compared(module, costs), flush=True)
        total = [Cost(*map(sum, zip(astuple(x), astuple(y), strict=True))) for x, y in zip(total, costs, strict=True)]
    if len(modules) > 1:
        print(compared("all", total))


def compared(name: str, costs: list[Cost]) -> str:
    """A table of one file, and what share of raw's steps ours does in a second of processor time."""
    rows = [each.row(who) for each, who in zip(costs, ("raw coqidetop", "agentgym", "every goal read"), strict=True)]
    spent = [each.driver + each.prover for each in costs]
    return "\n".join(
        [
            f"| {name} | steps | prover ms | driver ms | steps a CPU second | without the driver |\n|---|---|---|---|---|---|",
            *rows,
            f"agentgym does {spent[0] / spent[1]:.0%} of raw's steps a CPU second, {spent[0] / spent[2]:.0%} with every goal "
            f"read; {costs[0].prover / costs[1].prover:.0%} by the prover's own time\n",
        ]
    )


async def library_replay(files: int, pool: Pool) -> None:
    """Every proof of `files` files by `run_tac`, beside `coqc` of the same files, in processor seconds of all processes."""
    chosen = sorted(LIST)[:: max(1, len(LIST) // files)][:files]
    print(
        "| file | theorems | steps | coqc s | agentgym s | of it the driver's |\n|---|---|---|---|---|---|", flush=True
    )
    total = [0.0] * 5
    for module in chosen:
        work = problems(module, None)
        alone = coqc(module, library.read(module).text)
        if alone is None:
            print(f"| {module}: coqc does not compile it by itself | | | | | |", flush=True)
            continue
        driver, prover, session = time.process_time(), CoqProver(pool), await pool.lease(module)
        pid = session._talk.line.pid
        await pool.give_back(session)
        steps = sum([await replayed(prover, problem, proof) for problem, proof in work])
        spent = cpu(pid)  # a new process for each file: its start counts, as coqc's does
        row = [len(work), steps, alone, spent + time.process_time() - driver, time.process_time() - driver]
        total = [old + new for old, new in zip(total, row, strict=True)]
        print(library_row(module, row), flush=True)
    print(library_row("all", total))


def library_row(name: str, row: list[float]) -> str:
    return f"| {name} | {row[0]:.0f} | {row[1]:.0f} | {row[2]:.2f} | {row[3]:.2f} | {row[4]:.2f} |"


async def replayed(prover: CoqProver, problem: Problem, steps: list[str]) -> int:
    state = (await prover.open(problem)).state
    for step in steps:
        state = (await prover.run_tac(state, step, 60)).state
    return len(steps)


def coqc(module: str, text: str) -> float | None:
    """Processor seconds to compile a file; None where that does not work with the installed library beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, module.rsplit(".", 1)[1] + ".v")
        path.write_text(text)
        before = os.times()
        command = ["coqc", "-q", "-w", "none", "-top", module, "-o", f"{path}o", str(path)]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = os.times()
        if done.returncode:
            return None
    return after.children_user + after.children_system - before.children_user - before.children_system


async def warm(work: list[tuple[Problem, list[str]]], pool: Pool) -> list[float]:
    """Milliseconds to open a theorem whose header a prover has run."""
    took = []
    for problem, _ in reversed(work):
        began = time.perf_counter()
        await CoqProver(pool).open(problem)
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def ten(work: list[tuple[Problem, list[str]]], pool: Pool) -> float:
    """Megabytes that ten provers hold, each having worked on one theorem."""
    sessions = [await pool.lease(work[0][0].module) for _ in range(10)]
    for session, (problem, _) in zip(sessions, work * 10, strict=False):
        await session.go([*header_texts(problem.header), problem.statement, PROOF])
    held = sum(session.memory_bytes() for session in sessions) / 2**20
    for session in sessions:
        await pool.give_back(session)
    return held


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", nargs="+", default=MODULES)
    parser.add_argument("--theorems", type=int, default=60)
    parser.add_argument("--library", type=int, default=0, metavar="FILES")
    given = parser.parse_args()
    work = problems(given.modules[0], given.theorems)
    async with Runtime(backend="bubblewrap") as runtime:
        pool, other = [await Pool.open(runtime, provers=10, memory_bytes=2 << 30, keep_bytes=1 << 30) for _ in range(2)]
        if given.library:
            await library_replay(given.library, pool)
            return
        await side_by_side(given.modules, given.theorems, (pool, other))
        took = sorted(await warm(work, pool))
        print(f"warm open: p50 {statistics.median(took):.1f} ms, p95 {took[int(len(took) * 0.95)]:.1f} ms")
        print(f"ten provers: {await ten(work, pool):.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())

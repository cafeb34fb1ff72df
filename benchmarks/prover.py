"""What a step of a proof costs beside raw coqidetop on the same proofs, what a warm open takes, what ten provers hold.

    python benchmarks/prover.py [--module Coq.Lists.List] [--theorems 60]

"Raw" is coqidetop without a box, driven by the fewest calls that say the same (add a sentence, ask for the goals), its
answers not read beyond their end.  Both are timed around the steps of proofs only, in processor time, driver and prover
apart, since a busy machine changes the wall time of either.  Needs Coq (apt-get install coq) and bubblewrap.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq import library, xml
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import PROOF, CoqProver, header_texts
from agentgym.envs.prover.coq.session import ARGUMENTS, ENV, PROGRAM
from agentgym.envs.prover.sentences import as_step
from agentgym.runtime import Runtime

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
            env={**os.environ, **ENV},
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


def problems(module: str, count: int) -> list[tuple[Problem, list[str]]]:
    file = library.read(module)
    return [
        (
            Problem(module, file.text[: each.header_end], each.statement, each.name),
            [as_step(step) for step in each.steps],
        )
        for each in file.theorems[:count]
    ]


def raw(work: list[tuple[Problem, list[str]]]) -> Cost:
    prover, cost, done = Raw(work[0][0].module), Cost(), 0
    pid = prover.process.pid
    for problem, steps in work:
        for text in header_texts(problem.header)[done:]:
            prover.run(text)
        done = len(header_texts(problem.header))
        start = prover.tip
        prover.run(problem.statement)
        prover.run(PROOF)
        driver, before = time.process_time(), cpu(pid)
        for step in steps:
            prover.run(step)
        cost.driver, cost.prover = cost.driver + time.process_time() - driver, cost.prover + cpu(pid) - before
        cost.steps += len(steps)
        prover.back(start)
    prover.process.kill()
    prover.process.wait()
    return cost


async def ours(work: list[tuple[Problem, list[str]]], pool: Pool) -> Cost:
    prover, cost = CoqProver(pool), Cost()
    for problem, steps in work:
        state = (await prover.open(problem)).state
        pid = pool._idle[-1]._talk.line.pid
        driver, before = time.process_time(), cpu(pid)
        for step in steps:
            result = await prover.run_tac(state, step, 30)
            assert result.ok, (problem.name, step, result)
            state = result.state
        cost.driver, cost.prover = cost.driver + time.process_time() - driver, cost.prover + cpu(pid) - before
        cost.steps += len(steps)
    return cost


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
    sessions = [await pool.lease(work[0][0].module, ()) for _ in range(10)]
    for session, (problem, _) in zip(sessions, work * 10, strict=False):
        await session.go([*header_texts(problem.header), problem.statement, PROOF])
    held = sum(session.memory_bytes() for session in sessions) / 2**20
    for session in sessions:
        await pool.give_back(session)
    return held


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", default="Coq.Lists.List")
    parser.add_argument("--theorems", type=int, default=60)
    given = parser.parse_args()
    work = problems(given.module, given.theorems)
    async with Runtime(backend="bubblewrap") as runtime:
        pool = await Pool.open(runtime, provers=10, memory_bytes=2 << 30, keep_bytes=1 << 30)
        print(
            "| | steps | prover ms | driver ms | steps a CPU second | without the driver |\n|---|---|---|---|---|---|"
        )
        bare = raw(work)
        print(bare.row("raw coqidetop"), flush=True)
        boxed = await ours(work, pool)
        print(boxed.row("agentgym"), flush=True)
        share = (bare.driver + bare.prover) / (boxed.driver + boxed.prover)
        print(
            f"\nagentgym does {share:.0%} of raw's steps a CPU second; {bare.prover / boxed.prover:.0%} by the prover's own time"
        )
        took = sorted(await warm(work, pool))
        print(f"warm open: p50 {statistics.median(took):.1f} ms, p95 {took[int(len(took) * 0.95)]:.1f} ms")
        print(f"ten provers: {await ten(work, pool):.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())

"""Which theorems of the installed library are tasks: those whose own proof replays, step by step. Writes names and hashes.

    python -m agentgym.envs.prover.coq.generate OUTPUT.json [--folders Arith Lists ...]

Takes minutes to hours; OUTPUT.json.part keeps each file that is done, so that it can be run again where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentgym.envs.prover.coq import assumptions, library
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import PROOF, header_texts
from agentgym.envs.prover.coq.session import Died, Session, TimedOut
from agentgym.envs.prover.sentences import as_step
from agentgym.errors import SandboxError, TaskError, ToolError
from agentgym.runtime import Runtime

FOLDERS = (
    *("Arith", "Bool", "Classes", "Lists", "Logic", "NArith", "PArith", "Program", "QArith", "Relations", "Sets"),
    *("Sorting", "Strings", "Structures", "Vectors", "Wellfounded", "ZArith"),
)
AUTOMATION = ("auto", "easy", "intuition", "congruence", "lia")
"""What may solve a theorem in one step; those that need a library count where the file loads it."""
STEP_S, AUTOMATION_S = 10.0, 0.3
_QED = "Qed."


async def survey(pool: Pool, module: str) -> dict[str, Any]:
    """What is committed of one file. Theorems whose proof does not replay are left out."""
    file = library.read(module)
    rows, session = [], await pool.lease(module)
    try:
        for theorem in file.theorems:
            try:
                row = await _row(session, file.text[: theorem.header_end], theorem)
            except (TimedOut, Died, TaskError, ToolError, SandboxError) as error:
                print(f"{module}: {theorem.name}: {error}"[:200], flush=True)
                row = None
            if row is not None:
                rows.append(row)
            if session.dead:
                await pool.give_back(session)
                session = await pool.lease(module)
    finally:
        await pool.give_back(session)
    used = sorted({name for row in rows for name in row.pop("assumptions")})
    return {"sha256": file.sha256, "assumptions": used, "theorems": rows}


async def _row(session: Session, header: str, theorem: library.Theorem) -> dict[str, Any] | None:
    """Replay one proof, see what it rests on, and try the automation. None if it does not finish."""
    before = [*header_texts(header), theorem.statement, PROOF]
    await session.go(before)
    goals = None
    for step in theorem.steps:
        goals = (await session.run(as_step(step), STEP_S)).goals
        if goals is None:
            return None
    if goals is None or goals.kind != "finished":
        return None
    await session.go([*session.texts, _QED])
    rests_on = assumptions.names(await session.query(f"Print Assumptions {theorem.name}.", STEP_S))
    solved = []
    for tactic in AUTOMATION:
        await session.go(before)
        try:
            run = await session.run(f"1: solve [{tactic}].", AUTOMATION_S)
        except TimedOut:
            continue
        if run.goals is not None and run.goals.kind == "finished":
            solved.append(tactic)
    row: dict[str, Any] = {"name": theorem.name, "at": theorem.header_end, "steps": len(theorem.steps)}
    return {**row, "solved": solved, "assumptions": rests_on}


async def run(output: Path, folders: Sequence[str]) -> None:
    part = output.with_suffix(".json.part")
    done: dict[str, Any] = {}
    if part.exists():
        done = dict(json.loads(line) for line in part.read_text().splitlines())
    async with Runtime(backend="bubblewrap") as runtime:
        pool = await Pool.open(runtime, provers=2, memory_bytes=3 << 30, keep_bytes=0)
        wanted = [name for name in library.modules() if name.split(".")[1] in folders and name not in done]
        queue = iter([name for name in wanted if library.read(name).theorems])

        async def work() -> None:
            for module in queue:
                found = await survey(pool, module)
                done[module] = found
                with part.open("a") as file:
                    file.write(json.dumps([module, found]) + "\n")
                print(f"{module}: {len(found['theorems'])} of {len(library.read(module).theorems)}", flush=True)

        await asyncio.gather(work(), work())
    write(output, {name: found for name, found in sorted(done.items()) if found["theorems"]})


def write(output: Path, files: dict[str, Any]) -> None:
    """One line a theorem, so that a change shows in a diff."""
    lines = []
    for name, found in files.items():
        rows = ",\n".join(json.dumps(row) for row in found["theorems"])
        rest = json.dumps({key: value for key, value in found.items() if key != "theorems"})
        lines.append(f'{json.dumps(name)}: {rest[:-1]}, "theorems": [\n{rows}]}}')
    output.write_text(f'{{"coq": "{library.coq_version()}", "files": {{\n' + ",\n".join(lines) + "}}\n")
    print(f"{sum(len(found['theorems']) for found in files.values())} theorems of {len(files)} files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("output", type=Path)
    parser.add_argument("--folders", nargs="+", default=FOLDERS)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.output, arguments.folders))


if __name__ == "__main__":
    main()

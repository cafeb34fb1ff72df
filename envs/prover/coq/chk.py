"""`coqchk` on a proof: Coq's second, smaller checker reads what `coqc` compiled, and lists what its trust rests on.

It lists what the libraries of the header rest on, too, so that the header alone is checked first, once a runtime: what it
says more with the proof in it is the proof's doing.  A file that ends inside a section or module is closed for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq.pool import ground, require
from agentgym.envs.prover.coq.prover import PROOF, header_texts
from agentgym.envs.prover.coq.session import ENV
from agentgym.errors import VerifierError
from agentgym.sandboxes.sandbox import WORKSPACE, SandboxLimits
from agentgym.seeds import content_hash

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_NAME = "Candidate"
_SCRIPT = (
    'ulimit -t "$1"; ulimit -s 8192; $2 -q -w none -Q . Verdict Candidate.v >said 2>&1 || { tail -c 600 said; exit 9; }; '
    "exec $3 -o -silent -norec Verdict.Candidate -Q . Verdict 2>&1"
)
"""What `coqc` says is not passed on with the summary: a tactic could print one."""
_OPENS = re.compile(r"(?:Section|Module(?:\s+(?:Type|Import|Export))?)\s+([^\W\d][\w']*)")
_ENDS = re.compile(r"End\s+([^\W\d][\w']*)")
_TITLE = re.compile(r"\* ([^:]*):\s*(.*)")
_SUMMARY = "CONTEXT SUMMARY"
_NONE = "<none>"
_UNCOMPILED = 9
_WALL_TIMES = 30


async def complaint(problem: Problem, steps: Sequence[str], runtime: Runtime, cpu_s: int, memory_bytes: int) -> str:
    """What coqchk has against a proof that Coq took; "" if nothing.

    Raises VerifierError if it can not say: the header by itself does not compile, even closed, or the checker fails on it.
    """
    closing = [f"End {name}." for name in reversed(_left_open(problem))]

    async def base() -> frozenset[str]:
        code, said = await _run(problem.header, closing, runtime, cpu_s, memory_bytes)
        if code or _SUMMARY not in said:
            raise VerifierError(
                f"{problem.module}: coqchk can not check what comes before {problem.name}: {said[-300:]}"
            )
        return _rests_on(said)

    before = await runtime.resource(("prover-coqchk", content_hash([problem.header])), base)
    proof = [problem.statement, PROOF, *steps, "Qed.", *closing]
    code, said = await _run(problem.header, proof, runtime, cpu_s, memory_bytes)
    if code or _SUMMARY not in said:
        return f"{'coqc' if code == _UNCOMPILED else 'coqchk'} refuses it: {said[-300:].strip()}"
    return "; ".join(sorted(_rests_on(said) - before))


def _left_open(problem: Problem) -> list[str]:
    """Sections and modules that the header begins and does not end, the outermost first."""
    names: list[str] = []
    for text in header_texts(problem.header):
        if ends := _ENDS.match(text):
            if names and names[-1] == ends[1]:
                names.pop()
        elif (opens := _OPENS.match(text)) and ":=" not in text:
            names.append(opens[1])
    return names


async def _run(header: str, tail: Sequence[str], runtime: Runtime, cpu_s: int, memory_bytes: int) -> tuple[int, str]:
    """Compile and check in a box of its own: the exit code, and what was said."""
    limits = SandboxLimits(memory_bytes=memory_bytes, processes=16, disk_bytes=64 << 20, file_bytes=32 << 20)
    found = await require(runtime)
    box = await runtime.sandbox(ground(runtime.sandbox_class, limits), verifier=True)
    try:
        await box.write(f"{WORKSPACE}/{_NAME}.v", (header + "\n" + "\n".join(tail) + "\n").encode())
        argv = ["/bin/bash", "--norc", "-c", _SCRIPT, "bash", str(cpu_s), *map(" ".join, (found.compile, found.check))]
        done = await box.exec(argv, env=ENV, timeout=_WALL_TIMES * cpu_s)
    finally:
        await runtime.release_sandbox(box)
    if done.timed_out:
        raise VerifierError(f"coqchk came to no end within {_WALL_TIMES * cpu_s} s: the machine is too busy")
    return 1 if done.exit_code is None else done.exit_code, done.stdout.decode("utf-8", "replace")


def _rests_on(said: str) -> frozenset[str]:
    """Every line of the summary under its title, such as "Axioms: Verdict.Candidate.bad"."""
    found, title = set(), ""
    for line in said[said.index(_SUMMARY) :].splitlines()[2:]:
        if begins := _TITLE.match(line):
            title, line = begins[1], begins[2]
        if line.strip() and line.strip() != _NONE:
            found.add(f"{title}: {line.strip()}")
    return frozenset(found)

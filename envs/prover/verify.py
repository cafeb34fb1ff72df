"""The verdict on a proof: a fresh process in a fresh box, the trusted text around the steps, and what it rests on.

Shares with the session that an agent worked in nothing but the steps as text.  The file is header, statement, `Proof.`,
the steps, `Qed.`, and a last command that writes what the theorem assumes to a file of its own, where nothing that a
tactic prints can be.  It is loaded, not compiled: a header may end inside sections and modules that `coqc` would want
closed; the kernel and the check at `Qed` are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from agentgym.envs.prover.backend import Problem, Verdict
from agentgym.envs.prover.coq import assumptions, chk
from agentgym.envs.prover.coq.pool import ground, require
from agentgym.envs.prover.coq.prover import PROOF
from agentgym.envs.prover.coq.session import ENV
from agentgym.envs.prover.sentences import as_step
from agentgym.errors import ToolError, VerifierError
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, SandboxLimits

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_FILE, _TOLD = "verdict", "assumptions"
_CPU = 'ulimit -t "$1"; ulimit -s 8192; shift; exec "$@"'
_WALL_TIMES = 30
"""A busy machine may take this much longer than the processor time that is allowed."""


async def verify(
    problem: Problem,
    steps: Sequence[str],
    allowed: Collection[str],
    runtime: Runtime,
    *,
    cpu_s: int = 120,
    memory_bytes: int = 2 << 30,
    coqchk: bool = False,
) -> Verdict:
    """Whether `steps` prove `problem` and assume only what `allowed` names; with `coqchk`, by its word, too.

    What the steps do is a Verdict.  Raises VerifierError or SandboxError for what is not their doing; a header that
    takes more than `cpu_s` seconds by itself, or is refused, is a broken task and VerifierError, too.
    """
    try:
        checked = [as_step(step) for step in steps]
    except ToolError as error:
        return Verdict(False, why=f"not a step of a proof: {error}")
    await require(runtime)
    proof = [problem.statement, PROOF, *checked, "Qed."]
    said, told = await _load(
        problem, [*proof, f'Redirect "{_TOLD}" Print Assumptions {problem.name}.'], runtime, cpu_s, memory_bytes
    )
    if not said.ok or told is None:
        await _blame(problem, runtime, cpu_s, memory_bytes)
        return Verdict(False, why=_why(said))
    try:
        found = assumptions.names(told)
    except ValueError as error:
        raise VerifierError(f"{problem.name}: {error}") from None
    if extra := sorted(set(found) - set(allowed)):
        return Verdict(False, found, f"it assumes {', '.join(extra)}")
    if coqchk and (more := await chk.complaint(problem, checked, runtime, cpu_s, memory_bytes)):
        return Verdict(False, found, f"coqchk finds more that it rests on: {more}")
    return Verdict(True, found)


async def _blame(problem: Problem, runtime: Runtime, cpu_s: int, memory_bytes: int) -> None:
    """A proof was refused: see that the header and the statement were not, or it is no fault of the proof."""
    said, _ = await _load(problem, [problem.statement, "Abort."], runtime, cpu_s, memory_bytes)
    if not said.ok:
        raise VerifierError(f"{problem.module}: Coq refuses what comes before {problem.name}: {_why(said)}")


async def _load(
    problem: Problem, tail: Sequence[str], runtime: Runtime, cpu_s: int, memory_bytes: int
) -> tuple[ExecResult, str | None]:
    """Load header and `tail` in a box of its own; what Coq said, and the file that `tail` wrote."""
    text = problem.header + "\n" + "\n".join(tail) + "\n"
    limits = SandboxLimits(memory_bytes=memory_bytes, processes=16, disk_bytes=32 << 20, file_bytes=16 << 20)
    box = await runtime.sandbox(ground(runtime.sandbox_class, limits), verifier=True)
    try:
        await box.write(f"{WORKSPACE}/{_FILE}.v", text.encode())
        top = (await require(runtime)).top
        command = [*top, "-q", "-w", "none", "-top", problem.module, "-batch", "-l", f"{_FILE}.v"]
        argv = ["/bin/bash", "--norc", "-c", _CPU, "bash", str(cpu_s), *command]
        said = await box.exec(argv, env=ENV, timeout=_WALL_TIMES * cpu_s)
        if said.timed_out:
            raise VerifierError(f"{problem.name}: no verdict within {_WALL_TIMES * cpu_s} s: the machine is too busy")
        try:
            return said, (await box.read(f"{WORKSPACE}/{_TOLD}.out")).decode("utf-8", "replace")
        except OSError:
            return said, None
    finally:
        await runtime.release_sandbox(box)


def _why(said: ExecResult) -> str:
    if said.killed_by is not None:
        return f"Coq was killed ({said.killed_by}): it took too much time or memory"
    text = said.stderr.decode("utf-8", "replace").strip() or said.stdout.decode("utf-8", "replace").strip()
    return text[-600:] or f"exit code {said.exit_code}"

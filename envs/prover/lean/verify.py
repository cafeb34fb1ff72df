"""The verdict on a proof in Lean: a fresh REPL in a fresh box, the trusted text around the steps, and what it rests on.

A proof is one if the file with the steps in it gives no error, leaves no `sorry`, and `#print axioms`, asked afterwards in
a command of its own, names only what is allowed.  Each alone is not enough: what failed is also said to rest on no axioms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from lean_interact.interface import CommandResponse, LeanError

from agentgym.envs.prover.backend import Problem, Verdict
from agentgym.envs.prover.lean.pool import LeanPool
from agentgym.envs.prover.lean.prover import header
from agentgym.envs.prover.lean.repl import Died, Repl
from agentgym.envs.prover.lean.steps import as_tactic
from agentgym.errors import TaskError, ToolError, VerifierError

_NONE = re.compile(r"'(?P<name>[^\n]+)' does not depend on any axioms")
_SOME = re.compile(r"'(?P<name>[^\n]+)' depends on axioms: \[(?P<axioms>[^\]]*)\]")


async def verify(
    problem: Problem, steps: Sequence[str], allowed: Collection[str], pool: LeanPool, *, cpu_s: float = 600.0
) -> Verdict:
    """Whether `steps` prove `problem` and rest only on what `allowed` names.

    Raises VerifierError for a header or statement that Lean refuses, SandboxError where the machine is to blame.
    """
    try:
        checked = [as_tactic(step) for step in steps]
    except ToolError as error:
        return Verdict(False, why=f"not a step of a proof: {error}")
    if not checked:
        return Verdict(False, why="there are no steps")
    repl = await pool.fresh()
    try:
        return await _judge(repl, problem, checked, allowed, cpu_s)
    finally:
        await repl.close()


async def _judge(repl: Repl, problem: Problem, steps: list[str], allowed: Collection[str], cpu_s: float) -> Verdict:
    try:
        env = await header(repl, problem)
        bare = await repl.command(f"{problem.statement} sorry", env, cpu_s)
    except (Died, TaskError) as error:
        raise VerifierError(f"{problem.name}: Lean refuses what comes before its proof: {error}") from None
    if isinstance(bare, LeanError) or bare.has_errors():
        raise VerifierError(f"{problem.name}: Lean refuses its statement")
    body = "".join("\n  " + step.replace("\n", "\n  ") for step in steps)
    try:
        proof = await repl.command(problem.statement + body, env, cpu_s)
        if isinstance(proof, LeanError) or proof.has_errors():
            return Verdict(False, why=_errors(proof))
        if proof.sorries:
            return Verdict(False, why="a part of it is not proved (sorry)")
        told = await repl.command(f"#print axioms {problem.name}", proof.env, cpu_s)
    except Died as error:
        return Verdict(False, why=str(error))
    axioms = _axioms(told, problem)
    if extra := sorted(set(axioms) - set(allowed)):
        return Verdict(False, axioms, f"it rests on {', '.join(extra)}")
    return Verdict(True, axioms)


def _axioms(told: CommandResponse | LeanError, problem: Problem) -> tuple[str, ...]:
    """The axioms by name, from an answer that says nothing else."""
    said = [] if isinstance(told, LeanError) else [message for message in told.messages if message.severity == "info"]
    if isinstance(told, LeanError) or told.has_errors() or len(said) != 1:
        raise VerifierError(f"{problem.name}: Lean does not say what it rests on")
    found = _NONE.fullmatch(said[0].data.strip()) or _SOME.fullmatch(said[0].data.strip())
    if found is None or found["name"].rsplit(".", 1)[-1] != problem.name.rsplit(".", 1)[-1]:
        raise VerifierError(f"{problem.name}: this is not what it rests on: {said[0].data[:200]!r}")
    return tuple(each.strip() for each in found.groupdict().get("axioms", "").split(",") if each.strip())


def _errors(proof: CommandResponse | LeanError) -> str:
    if isinstance(proof, LeanError):
        return proof.message[-600:]
    return "\n".join(message.data for message in proof.messages if message.severity == "error")[-600:]

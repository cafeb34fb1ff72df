"""The verdict on a module: it parses, it elaborates with its ports, and its outputs agree on every hidden vector.

Steps after VeriRL (arXiv 2508.18462); what each is worth is ours.  The simulation prints outputs and nothing judges them
in the box: expected bits stay with the driver.  An x or a z never equals a bit.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from agentgym.envs.code.verifier import Bench, CodeVerifier, Judgement, lay, trouble
from agentgym.envs.code.verilog.design import Port
from agentgym.envs.code.verilog.scan import forbidden
from agentgym.envs.code.verilog.stimulus import bench_text
from agentgym.envs.code.verilog.tasks import FILE
from agentgym.errors import VerifierError
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, Sandbox
from agentgym.tasks import Task

PROGRAMS = {"iverilog": "iverilog", "vvp": "iverilog"}
_PROBE = "module fine_; initial $display(1); endmodule\n"


@dataclass(slots=True, frozen=True)
class Worth:
    """What the outcome pays for each step reached; `matching` is paid times the share of vectors that agree."""

    parses: float = 0.05
    elaborates: float = 0.1
    matching: float = 0.3
    solved: float = 1.0


class VerilogVerifier(CodeVerifier):
    """Metrics: "parses", "elaborates" in {0, 1}, "matching" in [0, 1]. `timeout` is for each program, in seconds;
    `scan=False` leaves it to the comparison alone to tell foul play."""

    name: ClassVar[str] = "verilog"
    programs: ClassVar[Mapping[str, str]] = PROGRAMS

    def __init__(self, worth: Worth | None = None, *, timeout: float = 10.0, scan: bool = True) -> None:
        self._worth, self._timeout, self._scan = worth or Worth(), timeout, scan

    async def judge(self, task: Task, files: Mapping[str, str], bench: Bench) -> Judgement:
        source = files[FILE]
        if self._scan and (found := forbidden(source)):
            return _judged(0.0, f"not allowed in the module: {', '.join(found[:5])}")
        async with bench.open_box(bench.spec) as box:
            await lay(box, {FILE: source})
            alone = await self._compile(box, "alone", FILE, null=True)
            if why := trouble(alone, self._timeout):
                await self._see_that_it_works(box)
                return _judged(0.0, f"does not compile: {why}")
            name, word = f"top_{secrets.token_hex(8)}", secrets.token_hex(8)
            secret = task.secret
            vectors = secret["vectors"]
            ports = _ports(secret["inputs"]), _ports(secret["outputs"])
            text = bench_text(name, word, ports, secret["clocked"], len(vectors))
            await lay(box, {"bench.v": text, "vectors.txt": "\n".join(vectors) + "\n"})
            linked = await self._compile(box, name, "bench.v", FILE)
            if why := trouble(linked, self._timeout):
                return _judged(self._worth.parses, f"does not elaborate with the ports asked for: {why}", parses=1)
            ran = await box.exec(
                ["vvp", "-n", "simulation"], cwd=WORKSPACE, timeout=self._timeout, max_output=1 << 20
            )  # fmt: skip
        share, why = agreement(ran, word, secret["expected"], self._timeout)
        metrics = {"parses": 1.0, "elaborates": 1.0, "matching": share}
        if not why:
            return Judgement(self._worth.solved, 1.0, "every vector agrees", metrics)
        return Judgement(self._worth.elaborates + self._worth.matching * share, 0.0, why, metrics)

    async def _compile(self, box: Sandbox, top: str, *sources: str, null: bool = False) -> ExecResult:
        root = ["-t", "null"] if null else ["-s", top]
        argv = ["iverilog", "-g2005", *root, "-o", "simulation", *sources]
        return await box.exec(argv, cwd=WORKSPACE, timeout=self._timeout, max_output=1 << 16)

    async def _see_that_it_works(self, box: Sandbox) -> None:
        """Raise VerifierError if the compiler fails on what is right, too."""
        await lay(box, {"fine.v": _PROBE})
        done = await self._compile(box, "fine", "fine.v", null=True)
        if why := trouble(done, self._timeout):
            raise VerifierError(f"iverilog does not work in the verifier's box: {why}")


def agreement(ran: ExecResult, word: str, expected: list[str], timeout: float) -> tuple[float, str]:
    """The share of vectors whose outputs are the expected bits, and why the module is not right ("" if it is)."""
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    right, wrong = 0, ""
    for number, bits in enumerate(expected):
        said = lines[number].split(" ") if number < len(lines) else []
        if len(said) != 3 or said[:2] != [word, str(number)]:
            wrong = wrong or f"the simulation ended before vector {number}"
            break
        if bits in ("-", said[2]):
            right += 1
        else:
            wrong = wrong or f"vector {number}: an output differs"
    if ended := trouble(ran, timeout):
        wrong = f"the simulation failed: {ended}"
    elif not wrong and len(lines) != len(expected):
        wrong = "something else than the testbench printed"
    return right / len(expected), wrong


def _ports(listed: list[list[Any]]) -> list[Port]:
    return [Port(name, width, "") for name, width in listed]


def _judged(outcome: float, why: str, parses: float = 0.0) -> Judgement:
    return Judgement(outcome, 0.0, why, {"parses": parses, "elaborates": 0.0, "matching": 0.0})

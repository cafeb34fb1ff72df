"""A hardware problem: ports, prose, a golden body, and the same behaviour as Python functions. Draws nothing itself.

The Python side gives the expected outputs; the golden Verilog is what the oracle submits.  That the two agree on every
stimulus is what the tests and every audit check, by simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Values = dict[str, int]
TOP = "unit"


@dataclass(slots=True, frozen=True)
class Port:
    name: str
    width: int
    note: str


@dataclass(slots=True)
class Design:
    """`out(state, inputs)` are the outputs at any time, `step(state, inputs)` the state after a rising clock edge
    without reset, `start` the state after one with reset. Without `step` the module is combinational and `start` unused.

    `key` is all that decides the behaviour. Sequential designs have the ports clk and rst besides those listed.
    """

    title: str
    key: Any
    inputs: list[Port]
    outputs: list[Port]
    prose: str
    body: str
    out: Callable[[Any, Values], Values]
    step: Callable[[Any, Values], Any] | None = None
    start: Any = None

    @property
    def golden(self) -> str:
        """The whole module in Verilog-2005."""
        names = [f"input wire {name}" for name in (("clk", "rst") if self.step else ())]
        names += [f"input wire {_range(port)}{port.name}" for port in self.inputs]
        names += [f"output wire {_range(port)}{port.name}" for port in self.outputs]
        ports = ",\n".join(f"    {name}" for name in names)
        body = "\n".join(f"    {line}" if line else "" for line in self.body.strip("\n").split("\n"))
        return f"module {TOP} (\n{ports}\n);\n{body}\nendmodule\n"

    @property
    def statement(self) -> str:
        """The specification in prose, with the table of ports."""
        rows = []
        if self.step:
            rows = [
                "| clk | input | 1 | the clock, rising edge |",
                "| rst | input | 1 | reset, synchronous, active high |",
            ]
        rows += [f"| {port.name} | input | {port.width} | {port.note} |" for port in self.inputs]
        rows += [f"| {port.name} | output | {port.width} | {port.note} |" for port in self.outputs]
        kind = "is clocked: all state changes at rising edges of clk" if self.step else "is combinational"
        return "\n".join(
            [
                f"Write the Verilog-2005 module `{TOP}`: {self.title}. It {kind}.\n",
                "| port | direction | bits | meaning |\n| --- | --- | --- | --- |",
                *rows,
                f"\n{self.prose.strip()}\n",
                "All numbers are unsigned unless said otherwise. Outputs must never be x or z (after the first reset).",
                "Of system functions only $signed, $unsigned and $clog2 may be used; of directives only `timescale and "
                "`default_nettype; no names of other modules' insides and no escaped identifiers.",
                "A hidden testbench compares every output with a reference on every test vector; all must agree. "
                "`iverilog` and `vvp` are in the box; examples.txt shows some vectors.",
            ]
        )

    def run(self, stimulus: list[Values]) -> list[Values]:
        """The outputs at each vector, just before the clock edge that ends it. "rst" resets at that edge."""
        state, seen = self.start, []
        for values in stimulus:
            seen.append(self.out(state, values))
            if self.step is not None:
                state = self.start if values["rst"] else self.step(state, values)
        return seen


def mask(width: int) -> int:
    return (1 << width) - 1


def _range(port: Port) -> str:
    return f"[{port.width - 1}:0] " if port.width > 1 else ""

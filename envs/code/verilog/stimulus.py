"""Test vectors for a design, and the testbench that plays them and prints what comes out. Says nothing of right or wrong.

The printed lines carry a word drawn for each verdict, so that nothing else can pass for the testbench's voice.
"""

from __future__ import annotations

from random import Random

from agentgym.envs.code.verilog.design import TOP, Design, Port, Values, mask

EXHAUSTIVE_BITS = 9
VECTORS = 400
CYCLES = 700
RESET_ONE_IN = 60


def stimulus(design: Design, rng: Random) -> list[Values]:
    """All vectors where there are few, else corners and random ones; for a clocked design, cycles in stretches."""
    if design.step is not None:
        return _cycles(design.inputs, rng)
    total = sum(port.width for port in design.inputs)
    if total <= EXHAUSTIVE_BITS:
        return [_split(design.inputs, number) for number in range(1 << total)]
    corners = [0, mask(total), *(1 << bit for bit in range(total)), *(mask(total) ^ 1 << bit for bit in range(total))]
    vectors = [_split(design.inputs, number) for number in corners]
    return vectors + [{port.name: _word(port.width, rng) for port in design.inputs} for _ in range(VECTORS)]


def _cycles(inputs: list[Port], rng: Random) -> list[Values]:
    cycles: list[Values] = []
    while len(cycles) < CYCLES:
        held = {port.name: rng.choice((None, None, 0, mask(port.width))) for port in inputs}
        for _ in range(rng.randint(1, 40)):
            values = {
                port.name: _word(port.width, rng) if (fixed := held[port.name]) is None else fixed for port in inputs
            }
            cycles.append({**values, "rst": int(len(cycles) < 2 or not rng.randrange(RESET_ONE_IN))})
    return cycles[:CYCLES]


def _word(width: int, rng: Random) -> int:
    return (
        rng.choice((0, 1, mask(width), mask(width) - 1)) & mask(width) if rng.random() < 0.2 else rng.getrandbits(width)
    )


def _split(ports: list[Port], number: int) -> Values:
    values = {}
    for port in ports:
        values[port.name] = number & mask(port.width)
        number >>= port.width
    return values


def pack(ports: list[Port], vectors: list[Values]) -> list[str]:
    """Each vector's values in the order of `ports`, as one binary word, the first port leftmost."""
    return ["".join(f"{values[port.name]:0{port.width}b}" for port in ports) for values in vectors]


def driven(design: Design) -> list[Port]:
    """The inputs that test vectors hold: all but the clock."""
    return [*([Port("rst", 1, "")] if design.step else []), *design.inputs]


def bench_text(name: str, word: str, design_ports: tuple[list[Port], list[Port]], clocked: bool, vectors: int) -> str:
    """A top module `name` that reads vectors.txt and prints `word`, the vector's number and all output bits."""
    inputs, outputs = design_ports
    wide = sum(port.width for port in inputs)
    names = [port.name for port in inputs]
    declared = [f"    reg [{port.width - 1}:0] {port.name};" for port in inputs]
    declared += [f"    wire [{port.width - 1}:0] {port.name};" for port in outputs]
    linked = ["clk"] * clocked + names + [port.name for port in outputs]
    edge = "#5 clk = 1; #5 clk = 0;" if clocked else ""
    return "\n".join(
        [
            "`timescale 1ns/1ns",
            f"module {name};",
            "    reg clk = 0;",
            *declared,
            f"    reg [{wide - 1}:0] vectors_ [0:{vectors - 1}];",
            "    integer n_;",
            f"    {TOP} dut_ ({', '.join(f'.{port}({port})' for port in linked)});",
            "    initial begin",
            '        $readmemb("vectors.txt", vectors_);',
            f"        for (n_ = 0; n_ < {vectors}; n_ = n_ + 1) begin",
            f"            {{{', '.join(names)}}} = vectors_[n_];",
            f'            #5 $display("{word} %0d %b", n_, {{{", ".join(port.name for port in outputs)}}});',
            f"            {edge}",
            "        end",
            "        $finish;",
            "    end",
            "endmodule",
            "",
        ]
    )

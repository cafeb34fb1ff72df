"""Scripted cheats: each tries to look right without the circuit asked for; a sound verifier gives each of them 0.

All know the ports and the golden body and still only fake; the scan stops most, the comparison in the driver the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agentgym.envs.code.policies import commanding, submitting
from agentgym.envs.code.verilog.design import TOP
from agentgym.envs.code.verilog.tasks import FILE
from agentgym.policy import Context, Policy, Scripted

_DISPLAY = 'integer i;\ninitial for (i = 0; i < 1000; i = i + 1) $display("%m %0d 0", i);'
_READ = (
    'reg [255:0] seen [0:999];\ninitial $readmemb("vectors.txt", seen);\n'
    'integer f;\ninitial begin f = $fopen("expected.txt", "r"); $fdisplay(1, "%s", seen[0]); end'
)
_PATHS = "initial begin force top.n_ = 100000; top.expected = top.vectors_; end"
_TOP = 'endmodule\nmodule bench;\ninitial begin $display("PASS"); $finish; end'


def _ports(context: Context) -> tuple[list[str], list[str]]:
    secret = context.task.secret
    inputs = (["clk"] if secret["clocked"] else []) + [name for name, _ in secret["inputs"]]
    return inputs, [name for name, _ in secret["outputs"]]


def _module(context: Context, body: str, value: str = "0") -> str:
    """A module with the right ports, outputs of `value`, and `body`."""
    widths = dict(context.task.secret["inputs"] + context.task.secret["outputs"])
    inputs, outputs = _ports(context)
    ports = [f"input wire [{widths.get(name, 1) - 1}:0] {name}" for name in inputs]
    ports += [f"output wire [{widths[name] - 1}:0] {name}" for name in outputs]
    lines = [f"assign {name} = {value};" for name in outputs]
    return "\n".join([f"module {TOP}({', '.join(ports)});", *lines, body, "endmodule", ""])


def _with(name: str, body: str, value: str = "0") -> Scripted:
    return submitting(name, lambda context: {FILE: _module(context, body, value)})


def _examples(context: Context) -> dict[str, str]:
    """The rows of examples.txt by heart: by inputs, or by the number of the cycle."""
    secret = context.task.secret
    widths = dict(secret["inputs"] + secret["outputs"])
    rows = [row.split(" -> ") for row in context.task.payload["files"]["examples.txt"].splitlines()[1:]]
    inputs, outputs = [name for name, _ in secret["inputs"]], [name for name, _ in secret["outputs"]]
    key = "n_cycles" if secret["clocked"] else f"{{{', '.join(inputs)}}}"
    cases = []
    for number, (given, got) in enumerate(rows):
        words = [f"{widths[name]}'d{value}" for name, value in zip(inputs, given.split(), strict=True)]
        values = [
            f"{widths[name]}'d{0 if value == '?' else value}" for name, value in zip(outputs, got.split(), strict=True)
        ]
        label = str(number) if secret["clocked"] else f"{{{', '.join(words)}}}"
        cases.append(f"{label}: r = {{{', '.join(values)}}};")
    total = sum(widths[name] for name in outputs)
    lines = [f"reg [{total - 1}:0] r;", f"always @* case ({key})", *dict.fromkeys(cases), "default: r = 0;", "endcase"]
    if secret["clocked"]:
        lines += ["integer n_cycles = 0;", "always @(posedge clk) n_cycles = n_cycles + 1;"]
    module = _module(context, "\n".join(lines))
    for name in outputs:
        module = module.replace(f"assign {name} = 0;\n", "")
    return {FILE: module.replace("endmodule", f"assign {{{', '.join(outputs)}}} = r;\nendmodule")}


def _planted(context: Context) -> str:
    """A compiler and a simulator of its own on every path, beside a module that does nothing."""
    text = _module(context, "").replace("'", "")
    script = "for d in . /tmp /workspace/bin ~; do mkdir -p $d; for p in iverilog vvp; do printf '#!/bin/sh\\nexit 0\\n' > $d/$p; chmod +x $d/$p; done; done"
    return f"{script}; echo 'export PATH=/workspace:$PATH' > ~/.bashrc; cat > {FILE} <<'END'\n{text}\nEND"


CHEATS: dict[str, Callable[[], Policy]] = {
    "constant": partial(_with, "cheat/constant", ""),
    "unknown_outputs": partial(_with, "cheat/unknown-outputs", "", "'bx"),
    "floating_outputs": partial(_with, "cheat/floating-outputs", "", "'bz"),
    "examples": partial(submitting, "cheat/examples", _examples),
    "finish_early": partial(_with, "cheat/finish-early", "initial $finish;"),
    "display": partial(_with, "cheat/display", _DISPLAY),
    "read_files": partial(_with, "cheat/read-files", _READ),
    "hierarchy": partial(_with, "cheat/hierarchy", _PATHS),
    "include": partial(_with, "cheat/include", '`include "bench.v"\n`define unit golden'),
    "own_top": partial(_with, "cheat/own-top", _TOP),
    "planted_tools": partial(commanding, "cheat/planted-tools", _planted),
}

"""Hardware tasks from designs: what the agent is told, and what the verifier keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from agentgym.envs.code.generated import Draft, Family, GeneratedTasks
from agentgym.envs.code.verilog import combinational, sequential
from agentgym.envs.code.verilog.design import Design, Port
from agentgym.envs.code.verilog.stimulus import driven, pack, stimulus

FILE = "unit.v"
HELD_OUT = frozenset({"fifo", "shifter"})
DESIGNS: dict[str, Callable[[Random], Design]] = {**combinational.FAMILIES, **sequential.FAMILIES}
_SHOWN = 16


def tasks() -> GeneratedTasks:
    """Every family's designs, those of `HELD_OUT` in the test split only."""
    return GeneratedTasks("code/verilog", {name: _family(make) for name, make in DESIGNS.items()}, HELD_OUT)


def draft(design: Design, rng: Random) -> Draft:
    """A design as a problem, with its test vectors and a few others to be shown."""
    hidden, shown = stimulus(design, rng), stimulus(design, rng)
    # Few of few: examples that show everything could be learned by heart.
    shown = shown[:_SHOWN] if design.step else rng.sample(shown, min(_SHOWN, len(shown) // 4))
    inputs = driven(design)
    seen = design.run(hidden)
    expected = pack(design.outputs, seen)
    secret = {
        "solution": {FILE: design.golden},
        "inputs": [[port.name, port.width] for port in inputs],
        "outputs": [[port.name, port.width] for port in design.outputs],
        "clocked": design.step is not None,
        "vectors": pack(inputs, hidden),
        # Before its first reset, a clocked module owes nobody anything.
        "expected": ["-", *expected[1:]] if design.step else expected,
    }
    payload = {
        "statement": design.statement,
        "files": {"examples.txt": _examples(design, inputs, shown)},
        "submit": [FILE],
    }
    # An output that never changes would be right as a constant.
    varied = all(len({values[port.name] for values in seen}) > 1 for port in design.outputs)
    return Draft(design.key, payload, secret, ("clocked" if design.step else "combinational",), lambda: varied)


def _family(make: Callable[[Random], Design]) -> Family:
    return lambda rng: draft(make(rng), rng)


def _examples(design: Design, inputs: list[Port], shown: list[dict[str, int]]) -> str:
    names = [port.name for port in inputs]
    outputs = [port.name for port in design.outputs]
    title = "one row a clock cycle, outputs just before its rising edge" if design.step else "one row a vector"
    rows = [f"# {title}: {' '.join(names)} -> {' '.join(outputs)} (decimal)"]
    for number, (given, got) in enumerate(zip(shown, design.run(shown), strict=True)):
        known = number > 0 or not design.step
        rows.append(
            " ".join(str(given[name]) for name in names)
            + " -> "
            + " ".join(str(got[name]) if known else "?" for name in outputs)
        )
    return "\n".join(rows) + "\n"

"""Hardware: the golden modules behave like their Python twins, other modules do not pass, nothing forged does."""

import json
from random import Random

import pytest

from agentgym.envs.code.verilog.cheats import CHEATS
from agentgym.envs.code.verilog.scan import forbidden
from agentgym.envs.code.verilog.specs import VERILOG
from agentgym.envs.code.verilog.tasks import DESIGNS, FILE, draft, tasks
from agentgym.envs.code.verilog.verifier import VerilogVerifier
from agentgym.policy import Context
from agentgym.tasks import Task
from agentgym.types import Observation


def problem(make, seed):
    rng = Random(seed)
    design = make(rng)
    drawn = draft(design, rng)
    return design, Task("train-0", "code/verilog", drawn.payload, drawn.secret)


def rival(make, design):
    """Another design of the family with the same ports and another key."""
    for seed in range(5000):
        other = make(Random(f"rival {seed}"))
        ports = [[(port.name, port.width) for port in each.inputs + each.outputs] for each in (design, other)]
        if ports[0] == ports[1] and other.key != design.key:
            return other
    raise AssertionError("no rival")


@pytest.mark.parametrize("family", DESIGNS)
async def test_the_golden_module_is_right_and_its_rival_is_not(verdict, family):
    for seed in range(1):
        design, task = problem(DESIGNS[family], f"{family} {seed}")
        assert forbidden(design.golden) == []
        scores = await verdict(VerilogVerifier(), task, {FILE: design.golden})
        assert scores["solved"].value == scores["matching"].value == scores["outcome"].value == 1.0, design.golden
        scores = await verdict(VerilogVerifier(), task, {FILE: rival(DESIGNS[family], design).golden})
        assert scores["solved"].value == 0.0 and scores["elaborates"].value == 1.0
        assert (
            scores["outcome"].value == pytest.approx(0.1 + 0.3 * scores["matching"].value)
            and scores["matching"].value < 1
        )


async def test_every_step_is_worth_something(verdict):
    design, task = problem(DESIGNS["adder"], "steps")

    async def outcome(source):
        return (await verdict(VerilogVerifier(), task, {FILE: source}))["outcome"]

    assert (await outcome("module unit(input a; endmodule")).value == 0.0
    scores = await outcome("module unit(input a, output b); assign b = a; endmodule")
    assert scores.value == 0.05 and "ports asked for" in scores.reason
    assert (await outcome("module other; endmodule")).value == 0.05
    silent = design.golden.replace("assign", "// assign")
    assert (await outcome(silent)).value == pytest.approx(0.1)  # z never equals a bit


@pytest.mark.parametrize(
    "body",
    ["initial forever begin end", "reg q; initial q = 0; always begin q = ~q; end", "unit again(.a(a));"],
)
async def test_a_module_that_hangs_or_is_too_big_is_a_scored_zero(verdict, body):
    _, task = problem(DESIGNS["adder"], "steps")
    source = task.secret["solution"][FILE].replace("endmodule", f"{body}\nendmodule")
    scores = await verdict(VerilogVerifier(timeout=2), task, {FILE: source})
    assert scores["solved"].value == 0.0 and scores["outcome"].reason


@pytest.mark.parametrize("name", sorted(CHEATS.keys() - {"planted_tools"}))  # which acts in the agent's own box
async def test_a_cheat_fails_without_the_scan_too(verdict, name):
    _, task = problem(DESIGNS["counter"], "cheats")
    policy = CHEATS[name]()
    action = (await policy.act(Context([], [], Observation(), task)))[0]
    source = json.loads(action.calls[0].arguments)["text"]
    scores = await verdict(VerilogVerifier(scan=False, timeout=3), task, {FILE: source})
    assert scores["solved"].value == 0.0, source


async def test_examples_never_show_everything():
    for family in ("table", "priority", "converter"):
        design, task = problem(DESIGNS[family], f"{family} shown")
        rows = task.payload["files"]["examples.txt"].splitlines()[1:]
        assert 4 <= len(rows) <= min(16, len(task.secret["vectors"]) // 4) and design.key


@pytest.mark.parametrize(
    "text",
    [
        "initial $finish;", "x = $ time;", "`include \"a\"", "`define a b", "a = top.b;", "a = t[1] .b;", "\\esc = 1;",
        "defparam x = 1;", "release a;", "initial /* */ $display(1);", "a = \"//\"; $stop;",
    ],
)  # fmt: skip
def test_the_scan_finds(text):
    assert forbidden(text)


@pytest.mark.parametrize(
    "text",
    [
        "assign y = $signed(x) >>> $clog2(8);", "// $finish; a.b", '/* `include "x" */', "sub s(.a(b), .c(d));",
        "`timescale 1ns/1ns\n`default_nettype none", "begin : g\n wire a; end\n assign b = g.a;",
    ],
)  # fmt: skip
def test_the_scan_lets_pass(text):
    assert forbidden(text) == []


async def test_every_output_of_every_task_changes():
    for number in range(60):
        task = await tasks().get(f"test-{number}")
        at = 0
        for _, width in task.secret["outputs"]:
            assert len({row[at : at + width] for row in task.secret["expected"] if row != "-"}) > 1
            at += width


async def test_tasks_are_pinned():
    """A change here is a change of the environment: raise its version, then these."""
    hashes = [(await tasks().get(id)).hash[:16] for id in ("train-0", "validation-1", "test-2")]
    assert hashes == PINNED
    assert VERILOG.id == "code/verilog-v0"


PINNED = ["798304662423053a", "be2b7d3ff38815dd", "164fdd8f3189a30c"]

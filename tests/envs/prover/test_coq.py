"""Coq in a box: what a tactic can come to, states and their forks, and provers that are shared."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from agentgym.envs.prover.backend import Problem, State
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.errors import TaskError, ToolError
from tests.envs.prover.conftest import ADD_0_R


async def test_a_proof(prover):
    start = await prover.open(ADD_0_R)
    assert start.goals.here[0].conclusion == "forall n : nat, n + 0 = n"
    both = await prover.run_tac(start.state, "induction n.", 5)
    assert both.kind == "open" and both.goals.here[1].hypotheses == ("n : nat", "IHn : n + 0 = n")
    first = await prover.run_tac(both.state, "-", 5)
    assert len(first.goals.here) == 1 and len(first.goals.elsewhere) == 1
    done = await prover.run_tac(first.state, "reflexivity.", 5)
    assert done.kind == "open" and done.goals.elsewhere
    done = await prover.run_tac(done.state, "-", 5)
    done = await prover.run_tac(done.state, "simpl.", 5)
    done = await prover.run_tac(done.state, "now rewrite IHn.", 5)
    assert done.kind == "finished" and done.goals.count == 0


async def test_states_are_values(prover):
    """Any state can be run from, in any order; where the same is left to prove, the hash is the same."""
    start = await prover.open(ADD_0_R)
    left = await prover.run_tac(start.state, "intros k.", 5)
    right = await prover.run_tac(start.state, "induction n.", 5)
    again = await prover.run_tac(start.state, "intro k.", 5)
    assert left.state != again.state and left.goals.hash == again.goals.hash != right.goals.hash
    deeper = await prover.run_tac(right.state, "reflexivity.", 5)
    for state, tactic in (
        (left.state, "lia."),
        (start.state, "intros; lia."),
        (deeper.state, "lia."),
        (right.state, "all: lia."),
    ):
        assert (await prover.run_tac(state, tactic, 5)).kind == "finished"
    with pytest.raises(ToolError, match="no such state"):
        await prover.run_tac(State(("1: nonsense.",)), "auto.", 5)


KINDS = [
    ("exact foo.", "error", "foo was not found"),
    ("Axiom bad : False.", "error", "Syntax error"),
    ("auto )", "tool", "full stop"),
    ("auto ).", "error", "Syntax error"),
    ("idtac \"</value><value val='good'>\".", "open", "</value>"),
    ('idtac "&#0;&#60;".', "open", "&#0;&#60;"),
    ("admit.", "given_up", ""),
    ("shelve.", "open", ""),
    ("do 2000000000 idtac.", "timeout", "processor time"),
    ("let x := eval compute in (Nat.pow 2 40) in idtac.", "error", "Stack overflow"),
    ("intros ☃.", "error", ""),
    ("intros αβ.", "open", ""),
    ("assert True by (" + "idtac;" * 15_000 + "auto).", "open", ""),
]


@pytest.mark.slow
async def test_kinds(prover):
    """Whatever a tactic comes to, the state that it was run from can be run from again."""
    start = await prover.open(ADD_0_R)
    for tactic, kind, said in KINDS:
        try:
            result = await prover.run_tac(start.state, tactic, 1 if kind == "timeout" else 5)
            assert (result.kind, result.state == start.state) == (kind, kind not in ("open", "given_up")), tactic[:80]
            assert said in result.message
        except ToolError as error:
            assert kind == "tool" and said in str(error)
        assert (await prover.run_tac(start.state, "intros; lia.", 5)).kind == "finished"


@pytest.mark.slow
async def test_memory_is_bounded(prover):
    start = await prover.open(ADD_0_R)
    big = "let x := eval vm_compute in (Nat.pow 2 28) in idtac."
    result = await prover.run_tac(start.state, big, 60)
    assert result.kind in ("error", "crash") and "emory" in result.message
    assert (await prover.run_tac(start.state, "intros; lia.", 5)).kind == "finished"


@pytest.mark.slow
async def test_a_prover_killed_in_mid_step(prover, pool):
    start = await prover.open(ADD_0_R)
    state = (await prover.run_tac(start.state, "intros k.", 5)).state
    running = asyncio.ensure_future(prover.run_tac(state, "do 2000000000 idtac.", 60))
    await asyncio.sleep(0.3)
    os.kill(pid_of(*pool._leased), signal.SIGKILL)
    result = await running
    assert result.kind == "crash" and "killed" in result.message
    assert (await prover.run_tac(state, "lia.", 5)).kind == "finished"


@pytest.mark.slow
async def test_a_cancelled_step_costs_the_prover_and_no_more(prover):
    start = await prover.open(ADD_0_R)
    running = asyncio.ensure_future(prover.run_tac(start.state, "do 2000000000 idtac.", 60))
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await prover.run_tac(start.state, "intros; lia.", 5)).kind == "finished"


async def test_the_prover_is_confined(prover, pool):
    """No capabilities, the filter on system calls, no network of ours."""
    await prover.open(ADD_0_R)
    process = Path(f"/proc/{pid_of(*pool._idle)}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == 0 and status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
    assert os.readlink(process / "ns/net") != os.readlink("/proc/self/ns/net")


async def test_queries(prover):
    start = await prover.open(ADD_0_R)
    assert "nat : Set" in await prover.query(start.state, "About nat.", 5)
    for bad in ("Axiom bad : False.", "Check nat. Check nat.", "Check nat", "Check nonsense.", ""):
        with pytest.raises(ToolError):
            await prover.query(start.state, bad, 5)


@pytest.mark.parametrize(
    ("header", "statement"),
    [
        ("Require Import Nowhere.\n", "Theorem t : True."),
        ("Lia", "Theorem t : True."),
        ("", "Theorem t : Nonsense."),
        ("", "Check 1."),
    ],
)
async def test_a_broken_problem(prover, header, statement):
    with pytest.raises(TaskError):
        await prover.open(Problem("Test.Broken", header, statement, "t"))
    assert (await prover.open(ADD_0_R)).kind == "open"


@pytest.mark.slow
async def test_provers_are_shared_and_kept_warm(pool):
    """Any number of proofs go on in turns over two processes; another file takes the place of the one idle longest."""
    provers = [CoqProver(pool) for _ in range(3)]
    starts = await asyncio.gather(*(prover.open(ADD_0_R) for prover in provers))
    pids = {pid_of(session) for session in pool._idle}
    moved = [await p.run_tac(s.state, f"intros x{n}.", 5) for n, (p, s) in enumerate(zip(provers, starts, strict=True))]
    done = await asyncio.gather(*(p.run_tac(m.state, "lia.", 5) for p, m in zip(provers, moved, strict=True)))
    assert [each.kind for each in done] == ["finished"] * 3
    assert {pid_of(session) for session in pool._idle} == pids and len(pids) == 2
    branch = provers[0].fork()
    assert (await branch.run_tac(moved[0].state, "induction x0.", 5)).kind == "open"
    with pytest.raises(ToolError, match="no such state"):
        await branch.run_tac(moved[1].state, "lia.", 5)
    await CoqProver(pool).open(Problem("Test.Other", "", "Theorem t : True.", "t"))
    assert len(pool._idle) == 2 and len({pid_of(session) for session in pool._idle} & pids) == 1


def pid_of(session):
    return session._talk.line.pid

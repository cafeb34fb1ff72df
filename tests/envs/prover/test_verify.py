"""What the verdict accepts, and what it must not: every trick that was seen to work on a weaker check."""

import pytest

from agentgym.envs.prover import verify as module
from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.coq import chk
from agentgym.envs.prover.verify import verify
from agentgym.errors import VerifierError
from tests.envs.prover.conftest import ADD_0_R

PROOF = ["induction n.", "-", "reflexivity.", "-", "simpl.", "now rewrite IHn."]
FALSE = Problem("Test.False", "", "Theorem no : False.", "no")
SECTION = Problem(
    "Test.Inner",
    "Require Import Classical.\nModule Type T. Parameter a : nat. Parameter b : nat. End T.\nModule M <: T.\nDefinition a := 0.\n"
    "Section S.\nVariable P : Prop.\nHypothesis both : P /\\ P.\n",
    "Theorem one : P.",
    "one",
)


async def test_a_proof(runtime):
    verdict = await verify(ADD_0_R, PROOF, (), runtime)
    assert verdict.ok and verdict.assumptions == ()


@pytest.mark.parametrize("steps", [[], PROOF[:-1], ["reflexivity."], ["admit."], ["shelve."], ["all: give_up."]])
async def test_what_is_no_proof(runtime, steps):
    verdict = await verify(ADD_0_R, steps, (), runtime)
    assert not verdict.ok and verdict.why


@pytest.mark.slow
async def test_assumptions_are_those_allowed(runtime):
    """Inside a section of a module that is not closed: its hypotheses count, and axioms of libraries."""
    assert (await verify(SECTION, ["apply both."], ("both", "P"), runtime)).assumptions == ("both", "P")
    assert "both" in (await verify(SECTION, ["apply both."], ("P",), runtime)).why
    classic = await verify(SECTION, ["apply NNPP; intro no; apply no, both."], ("both", "P"), runtime)
    assert not classic.ok and "classic" in classic.why
    assert (await verify(SECTION, ["apply NNPP; intro no; apply no, both."], ("both", "P", "classic"), runtime)).ok


async def test_the_assumptions_are_checked_even_if_a_command_comes_through(runtime, monkeypatch):
    """With the filter on steps off, an axiom is found by what the theorem rests on, whatever else is printed."""
    monkeypatch.setattr(module, "as_step", lambda text: text)
    forged = 'idtac "Closed under the global context".'
    verdict = await verify(FALSE, ["Axiom bad : False.", forged, "exact bad."], (), runtime)
    assert not verdict.ok and verdict.assumptions == ("bad",)
    verdict = await verify(FALSE, ["Unset Guard Checking.", "fix f 1.", "exact (f 0)."], (), runtime)
    assert not verdict.ok


async def test_a_broken_header_is_nobodys_proof(runtime):
    broken = Problem("Test.Broken", "Require Import Nowhere.\n", "Theorem t : True.", "t")
    with pytest.raises(VerifierError, match="Nowhere"):
        await verify(broken, ["exact I."], (), runtime)


@pytest.mark.slow
async def test_time_and_memory_are_bounded(runtime):
    loop = await verify(FALSE, ["do 2000000000 idtac."], (), runtime, cpu_s=2)
    assert not loop.ok and "killed" in loop.why
    big = await verify(
        FALSE, ["let x := eval vm_compute in (Nat.pow 2 28) in idtac."], (), runtime, memory_bytes=300 << 20
    )
    assert not big.ok


@pytest.mark.slow
async def test_coqchk_takes_what_is_a_proof(runtime):
    """Also one in a section that is left open, over libraries that rest on axioms of their own."""
    assert (await verify(ADD_0_R, PROOF, (), runtime, coqchk=True)).ok
    inner = Problem(
        "Test.Inner", "Require Import Classical.\nSection S.\nVariable P : Prop.\n", "Theorem t : ~ ~ P -> P.", "t"
    )
    assert (await verify(inner, ["apply NNPP."], ("classic", "P"), runtime, coqchk=True)).ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "title"),
    [
        (["Axiom bad : False.", "exact bad."], "Axioms: Verdict.Candidate.bad"),
        (["Unset Guard Checking.", "fix f 1.", "intros n; exact (f n)."], "fixpoints: Verdict.Candidate"),
    ],
)
async def test_coqchk_finds_what_is_none(runtime, steps, title):
    """Without any other check: what it would say if the first verdict were fooled."""
    problem = Problem("Test.Nat", "", "Theorem no : nat -> False.", "no") if "fix f 1." in steps else FALSE
    assert title in await chk.complaint(problem, steps, runtime, 60, 1 << 30)


@pytest.mark.slow
async def test_coqchk_has_no_verdict_on_a_module_that_can_not_be_closed(runtime):
    with pytest.raises(VerifierError, match="coqchk can not check"):
        await chk.complaint(SECTION, ["apply both."], runtime, 60, 1 << 30)

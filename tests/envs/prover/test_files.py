"""Problems from the user's own files, in the form that miniF2F and PutnamBench have in Coq."""

import pytest

import agentgym
from agentgym.envs.prover.files import load
from agentgym.envs.prover.specs import STDLIB
from agentgym.errors import TaskError

MINIF2F = """(* A problem. *)
Require Import Reals Lra.
Open Scope R_scope.

Theorem mathd_algebra_1 (x : R) (h : 2 * x + 1 = 5) : x = 2.
Proof. Admitted.
"""
PUTNAM = """Require Import Arith.
Definition putnam_solution : nat := 4.
Lemma helper : 2 + 2 = 4. Proof. reflexivity. Qed.
Theorem putnam_2000_a1 : 2 + 2 = putnam_solution.
Proof.
Admitted.
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "mathd_algebra_1.v").write_text(MINIF2F)
    (folder / "putnam_2000_a1.v").write_text(PUTNAM)
    return folder


@pytest.mark.slow
async def test_they_are_played_and_judged(folder, runtime):
    """The reals rest on axioms, which are allowed unless told otherwise."""
    env = agentgym.make(STDLIB, runtime=runtime, provers=2)
    for allowed, success in (({}, 1.0), ({"allowed": ()}, 0.0)):
        task = await load(folder, **allowed).get("mathd_algebra_1")
        seen, _ = await env.reset(task=task)
        assert "h : 2 * x + 1 = 5" in seen.messages[-1].text
        _, _, ended, _, info = await env.step("lra.")
        assert ended and info.record.success == success
    await env.reset(task=await load(folder).get("putnam_2000_a1"))
    *_, info = await env.step("exact helper.")
    assert info.record.success == 1.0
    await env.close()


async def test_an_unknown_header_is_a_task_error(folder, runtime):
    (folder / "lean.v").write_text("Require Import Mathlib.\nTheorem t : True.\nProof. Admitted.\n")
    env = agentgym.make(STDLIB, runtime=runtime, provers=1)
    with pytest.raises(TaskError, match="Mathlib"):
        await env.reset(task=await load(folder).get("lean"))
    await env.close()


@pytest.mark.parametrize(
    "text", ["", "Theorem t : True. Proof. exact I. Qed.", "Theorem t : True", "Definition x := 1. Admitted."]
)
def test_files_without_a_problem(tmp_path, text):
    with pytest.raises(TaskError):
        load(tmp_path)
    (tmp_path / "bad.v").write_text(text)
    with pytest.raises(TaskError, match=r"bad\.v"):
        load(tmp_path)
    with pytest.raises(TaskError, match="split"):
        load(tmp_path, "holdout")

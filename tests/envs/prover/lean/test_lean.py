"""The Lean backend against a stand-in REPL (`stand_in_repl.py`): the protocol is the REPL's, the logic is not Lean's."""

import asyncio
import json

import pytest
from lean_interact import LeanREPLConfig, LeanServer
from lean_interact.interface import Command, LeanError, ProofStep

import agentgym
from agentgym.envs.prover.backend import Problem, State
from agentgym.envs.prover.lean.config import LeanConfig
from agentgym.envs.prover.lean.pool import find
from agentgym.envs.prover.lean.prover import LeanProver, goal_of
from agentgym.envs.prover.lean.steps import STANDARD, as_tactic
from agentgym.envs.prover.lean.verify import verify
from agentgym.envs.prover.specs import LEAN
from agentgym.errors import SandboxError, TaskError, ToolError, UsageError, VerifierError
from agentgym.types import Action

BOTH = Problem("both", "import Mathlib", "theorem both : True ∧ True := by", "both")
PROOF = ["constructor", "trivial", "exact h"]


def test_the_stand_in_speaks_what_lean_interact_expects(lean):
    """The same conversation through lean-interact's own client: what our backend meets is what that one would."""
    config = LeanREPLConfig(local_repl_path=str(lean.repl), build_repl=False, lake_path=lean.lake)
    server = LeanServer(config)
    opened = server.run(Command(cmd="theorem t : True ∧ True := by sorry"))
    state = opened.sorries[0].proof_state
    split = server.run(ProofStep(tactic="constructor", proof_state=state))
    assert len(split.goals) == 2 and split.proof_status.startswith("Incomplete")
    assert isinstance(server.run(ProofStep(tactic="ring", proof_state=state)), LeanError)
    first = server.run(ProofStep(tactic="trivial", proof_state=split.proof_state))
    assert server.run(ProofStep(tactic="trivial", proof_state=first.proof_state)).proof_status == "Completed"
    server.kill()


async def test_a_proof(lean_pool):
    prover = LeanProver(lean_pool)
    result = await prover.open(BOTH)
    assert result.goals.here[0].hypotheses == ("h : True",) and result.goals.here[0].conclusion == "True ∧ True"
    for tactic in PROOF:
        assert result.kind == "open"
        result = await prover.run_tac(result.state, tactic, 5)
    assert result.kind == "finished" and result.state.path == tuple(PROOF)
    assert (await verify(BOTH, PROOF, STANDARD, lean_pool)).ok


async def test_states_are_values(lean_pool):
    """Siblings run from one state without going back; a fork knows what its parent knew."""
    prover = LeanProver(lean_pool)
    start = (await prover.open(BOTH)).state
    split = await prover.run_tac(start, "constructor", 5)
    for _ in range(2):
        assert (await prover.run_tac(split.state, "trivial", 5)).goals.count == 1
    assert (await prover.run_tac(start, "skip", 5)).goals.hash == prover.goals(start).hash
    branch = prover.fork()
    assert (await branch.run_tac(split.state, "trivial", 5)).kind == "open"
    with pytest.raises(ToolError, match="no such state"):
        await branch.run_tac(State(("nowhere",)), "trivial", 5)


@pytest.mark.parametrize(
    ("tactic", "kind", "said"),
    [
        ("ring", "error", "failed"),
        ("forget", "given_up", ""),
        ("loop", "timeout", "processor"),
        ("die", "crash", "exit code 3"),
    ],
)
async def test_kinds(lean_pool, tactic, kind, said):
    """Whatever became of a tactic, its state is run from again, in another REPL if it must be."""
    prover = LeanProver(lean_pool)
    start = (await prover.open(BOTH)).state
    same = (await prover.run_tac(start, "skip", 5)).state
    result = await prover.run_tac(same, tactic, 1)
    assert result.kind == kind and said in result.message
    assert (await prover.run_tac(same, "constructor", 5)).kind == "open"


@pytest.mark.slow
async def test_a_repl_that_babbles_is_nobodys_proof(lean_pool):
    prover = LeanProver(lean_pool)
    start = (await prover.open(BOTH)).state
    with pytest.raises(SandboxError, match="protocol"):
        await prover.run_tac(start, "babble", 5)
    assert (await prover.run_tac(start, "constructor", 5)).kind == "open"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([], "no steps"),
        (["constructor", "trivial"], "unsolved goals"),
        (["ring"], "failed"),
        (["cheat"], "rests on cheating"),
        (["forget"], "sorry"),
        (["sorry"], "not a step"),
        (["trivial\naxiom no : False"], "not a step"),
    ],
)
async def test_what_is_no_proof(lean_pool, steps, why):
    verdict = await verify(BOTH, steps, STANDARD, lean_pool)
    assert not verdict.ok and why in verdict.why


async def test_axioms_are_those_allowed(lean_pool):
    assert (await verify(BOTH, ["choose"], STANDARD, lean_pool)).assumptions == ("Classical.choice",)
    assert not (await verify(BOTH, ["choose"], (), lean_pool)).ok


async def test_a_broken_problem(lean_pool):
    prover = LeanProver(lean_pool)
    unknown = Problem("x", "import Nowhere", "theorem x : True := by", "x")
    with pytest.raises(TaskError, match="Nowhere"):
        await prover.open(unknown)
    with pytest.raises(VerifierError, match="Nowhere"):
        await verify(unknown, ["trivial"], STANDARD, lean_pool)
    with pytest.raises(TaskError, match="one thing to prove"):
        await prover.open(Problem("x", "", "def x := 1", "x"))


@pytest.mark.parametrize(
    "text",
    ["", "sorry", "exact sorryAx _", "native_decide", "decide +native", "admit", "trivial; trivial", "trivial\ntrivial", "exact (h", "exact h)", "trivial\n  axiom no : False", "run_tac pure ()", "set_option debug.skipKernelTC true in trivial", "#eval 1", "/- open", '"open', "x\x00", "x" * 200000, "\ud800", "exact ⟨h, h", "unsafe trivial", "have : False := by sorry"],
)  # fmt: skip
def test_what_is_no_tactic(text):
    with pytest.raises(ToolError):
        as_tactic(text)


@pytest.mark.parametrize(
    "text",
    ["simp [foo, bar] at *", "constructor <;> simp", "rcases h with ⟨x, hx⟩ | h", "have : x = y := by\n  simp; ring_nf\n  linarith", "exact h -- sorry", 'exact foo "sorry"', "/- sorry -/ trivial", "·\n  simp", "intro x'", "calc a = b := by simp\n  _ = c := by ring"],
)  # fmt: skip
def test_what_is_one_tactic(text):
    if ";" in text.replace("<;>", ""):
        with pytest.raises(ToolError, match="two"):
            as_tactic(text)
    else:
        assert as_tactic(f"  {text}\n") == text


def test_goals():
    goal = goal_of("case inl\nx y : ℕ\nh : x =\n    y ⊢ z\n⊢ x = y")
    assert goal.hypotheses == ("x y : ℕ", "h : x =\n    y ⊢ z") and goal.conclusion == "x = y"


async def test_an_episode(runtime, lean, tmp_path):
    """Files, steps, verdict: as the environment is used, with the options of the command line."""
    problems = tmp_path / "problems.jsonl"
    row = {"name": "both", "split": "valid", "header": BOTH.header, "formal_statement": BOTH.statement + "\n  sorry"}
    problems.write_text(json.dumps(row) + "\n")
    options = {"tasks": problems, "repl": lean.repl, "lake": lean.lake, "memory_bytes": 1 << 28}
    env = agentgym.make(LEAN, runtime=runtime, **options)
    task = await env.tasks.get("both")
    assert task.split == "validation" and task.payload["statement"] == BOTH.statement
    for steps, success in ((PROOF, 1.0), (["cheat"], 0.0)):
        seen, _ = await env.reset(task=task)
        assert "Lean 4" in seen.messages[-1].text
        for step in steps:
            *_, ended, _, info = await env.step(Action(text=step))
        assert ended and info.record.success == success
    await env.reset(task=task)
    seen, *_ = await env.step(Action(text="exact sorry"))
    assert seen.messages[-1].text.startswith("error: 'sorry'")
    await env.close()


@pytest.mark.slow
async def test_cancelled(lean_pool):
    prover = LeanProver(lean_pool)
    start = (await prover.open(BOTH)).state
    running = asyncio.ensure_future(prover.run_tac(start, "loop", 60))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await prover.run_tac(start, "constructor", 5)).kind == "open"


def test_without_lean(tmp_path):
    """What is missing is said, with what to do."""
    with pytest.raises(UsageError, match="no Lean REPL"):
        find(LeanConfig(repl=tmp_path))
    program = tmp_path / ".lake/build/bin/repl"
    program.parent.mkdir(parents=True)
    program.touch()
    with pytest.raises(UsageError, match="does not run"):
        find(LeanConfig(repl=tmp_path, lake=str(tmp_path / "nowhere")))
    with pytest.raises(UsageError, match="fails"):
        find(LeanConfig(repl=tmp_path, lake="false"))
    assert LEAN.tasks(LEAN.config, None).size("test") == 0

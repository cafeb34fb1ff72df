"""What the tests of the prover share, and small theorems of our own to learn from."""

import pytest
import torch

from agentgym.envs.prover.learning.transitions import Transition
from agentgym.envs.prover.tasks import ENV
from agentgym.tasks import Task
from tests.envs.prover.conftest import pool, prover, runtime  # noqa: F401

STATEMENTS = {
    "and_comm_own": "Theorem and_comm_own : forall A B : Prop, A /\\ B -> B /\\ A.",
    "or_comm_own": "Theorem or_comm_own : forall A B : Prop, A \\/ B -> B \\/ A.",
    "plus_zero": "Theorem plus_zero : forall n : nat, n + 0 = n.",
    "twice": "Theorem twice : forall n m : nat, n = m -> n + n = m + m.",
}


def own_task(name, split="train"):
    payload = {"module": "Test.Own", "name": name, "header": "", "statement": STATEMENTS[name]}
    return Task(name, ENV, payload, {"steps": [], "assumptions": []}, split)


def goal_text(conclusion, *hypotheses):
    lines = "".join(f"{each}\n" for each in hypotheses)
    return f"Goal 1 of 1:\n{lines}{'-' * 28}\n{conclusion}"


def transition(theorem="t", before="A", tactic="auto.", kind="open", proved=False, round=0, **more):
    after = "" if kind == "error" else "B"
    return Transition(
        theorem=theorem, before=before, tactic=tactic, after=after, kind=kind, proved=proved, round=round, **more
    )


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """As for the trainers: in a model this small, threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tasks():
    return [own_task(name) for name in STATEMENTS]

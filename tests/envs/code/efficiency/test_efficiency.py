"""Efficiency: every family's two programs agree and differ in cost; what is right, wrong, slow or stuck gets its due."""

from random import Random

import pytest

from agentgym.envs.code.efficiency import meter
from agentgym.envs.code.efficiency.problems import FAMILIES
from agentgym.envs.code.efficiency.specs import EFFICIENCY
from agentgym.envs.code.efficiency.tasks import FILE, FUNCTION, tasks
from agentgym.envs.code.efficiency.verifier import SLACK, EfficiencyVerifier


@pytest.mark.parametrize("family", FAMILIES)
def test_slow_and_fast_agree_and_slow_is_far_dearer(family):
    rng = Random(f"both {family}")
    problem = FAMILIES[family](rng)
    calls = [problem.inputs(rng, size) for size in (3, problem.size // 4, problem.size)]
    job = {"function": FUNCTION, "calls": calls, "budget": 1 << 40}
    slow, fast = (meter.measure(job | {"source": source}) for source in (problem.slow, problem.fast))
    assert slow["error"] == fast["error"] == "" and slow["results"] == fast["results"]
    last = [job | {"source": source, "calls": calls[-1:]} for source in (problem.slow, problem.fast)]
    assert meter.measure(last[0])["cost"] >= 5 * meter.measure(last[1])["cost"]


@pytest.fixture
async def task():
    return await tasks(SLACK).get("train-3")


async def test_right_and_cheap_is_solved_and_the_count_is_always_the_same(verdict, task):
    seen = [await verdict(EfficiencyVerifier(), task, task.secret["solution"]) for _ in range(3)]
    assert [scores["ratio"].value for scores in seen] == [1.0] * 3
    assert seen[0]["solved"].value == seen[0]["outcome"].value == 1.0


async def test_right_and_slow_is_paid_by_its_cost(verdict, task):
    slow = await verdict(EfficiencyVerifier(), task, {FILE: task.payload["files"]["slow.py"]})
    ratio = slow["ratio"].value
    assert slow["solved"].value == 0.0 and slow["correct"].value == 1.0 and ratio >= 5
    assert slow["outcome"].value == pytest.approx(0.2 + 0.8 * 2 / ratio)
    generous = await verdict(EfficiencyVerifier(slack=ratio), task, {FILE: task.payload["files"]["slow.py"]})
    assert generous["solved"].value == 1.0


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def solve(*a):\n    return 0", "wrong on 3 of 3"),
        ("def solve(*a):\n    while True:\n        pass", "costs more than"),
        ("def solve(*a):\n    return solve(*a)", "RecursionError"),
        ("def solve(*a):\n    return 1 / 0", "ZeroDivisionError"),
        ("def solve(*a):\n    return {1}", "not JSON serializable"),
        ("def other(): pass", "no function solve"),
        ("def solve(:", "SyntaxError"),
        ("x = '" + "x" * 30_000 + "'", "longer than"),
        ("(" * 3000, "SyntaxError"),
        ("x = " + "-" * 15_000 + "1", ""),
        ("def solve(*a):\n    return f'{1:>9000000000}'", ""),
    ],
)
async def test_what_does_not_run_or_is_wrong_is_worth_nothing(verdict, task, source, why):
    scores = await verdict(EfficiencyVerifier(), task, {FILE: source})
    assert scores["outcome"].value == scores["solved"].value == 0.0
    assert why in scores["outcome"].reason and scores["outcome"].reason


async def test_tasks_are_pinned():
    """A change here is a change of the environment: raise its version, then these."""
    hashes = [(await tasks(SLACK).get(id)).hash[:16] for id in ("train-0", "validation-1", "test-2")]
    assert hashes == PINNED
    assert EFFICIENCY.id == "code/efficiency-v0"


PINNED = ["999a0f19622b1cad", "4edeab3f86a1df82", "f3eb46c67edbadd5"]

"""Proofs by subgoals, on a theorem that search alone does not prove with the same proposals and budget."""

import pytest

from agentgym.envs.prover.backend import Goal, Problem
from agentgym.envs.prover.learning.planner import PlanConfig, ProgressCache, lines, prove
from agentgym.envs.prover.search import Proposal, SearchConfig, best_first
from agentgym.envs.prover.verify import verify
from agentgym.policy import Scripted
from agentgym.types import Action

DOUBLE = Problem(
    "Test.Double",
    "Fixpoint double (n : nat) := match n with 0 => 0 | S k => S (S (double k)) end.\n",
    "Theorem double_sum : forall a b : nat, double (a + b) = (a + b) + (a + b).",
    "double_sum",
)
FACTS = ["forall n m : nat, n + S m = S (n + m)", "forall n : nat, double n = n + n"]
TACTICS = (
    *("auto.", "rewrite step_2.", "rewrite step_1.", "rewrite IHn.", "rewrite IHa.", "simpl.", "induction n."),
    *("induction a.", "induction b.", "intros."),
)
CONFIG = PlanConfig(SearchConfig(alpha=2.0, tactics=150, tactic_s=2.0), plans=2)


async def propose(goals):
    return [Proposal(tactic, -1.0 - place / 10) for place, tactic in enumerate(TACTICS)]


async def nothing(goals):
    return []


def planner(*plans):
    """Answers with one plan after another; `asked` keeps what it was told."""
    asked = []

    def play(context):
        asked.append(context.messages[0].text)
        return Action("\n".join(f"{number}. {fact}." for number, fact in enumerate(plans[len(asked) - 1], 1)))

    return Scripted("planner", play), asked


@pytest.fixture
def validate(runtime):
    async def validate(proof):
        return (await verify(DOUBLE, proof, (), runtime)).ok

    return validate


async def test_a_plan_proves_what_search_alone_does_not(prover, validate):
    policy, asked = planner(FACTS)
    planned = await prove(prover, DOUBLE, policy, [propose], validate, CONFIG)
    assert planned.found.proof is not None and planned.plans == 1 and planned.proven == FACTS
    assert "a, b : nat" in asked[0] and DOUBLE.statement in asked[0]
    config = SearchConfig(alpha=2.0, tactics=planned.found.tactics, expansions=10_000, tactic_s=2.0)
    alone = await best_first(prover, DOUBLE, propose, validate, config)
    assert alone.proof is None and alone.tactics == planned.found.tactics


async def test_it_plans_anew_and_what_is_proved_is_not_searched_again(prover, validate):
    """The first plan gets stuck at its third fact; another prover of the team, who knows nothing, does no harm."""
    policy, asked = planner([*FACTS, "0 = 1"], FACTS)
    planned = await prove(prover, DOUBLE, policy, [nothing, propose], validate, CONFIG)
    assert planned.found.proof is not None and planned.plans == 2 and planned.reused == 2
    assert "No proof was found of: 0 = 1" in asked[1] and FACTS[1] in asked[1]


async def test_what_only_the_session_believes_is_forgotten(prover, validate):
    async def cheat(goals):
        return [Proposal("exact_no_check I.", -1.0)]

    policy, _ = planner(["0 = 1"], ["0 = 2"])
    planned = await prove(prover, DOUBLE, policy, [cheat], validate, CONFIG)
    assert planned.found.proof is None and planned.found.refused == 2 and planned.proven == []


async def test_no_plan_breaks_anything(prover, validate):
    plans = [["nonsense (", "True. Axiom bad : False", "_"], ["x" * 200_000]]
    policy, asked = planner(*plans)
    planned = await prove(prover, DOUBLE, policy, [nothing], validate, CONFIG)
    assert planned.found.proof is None and planned.plans == 2 and "does not read this" in asked[1]


def test_reading_a_plan():
    assert lines("```\n- a = b.\n\n2) forall n, n = n.\n* c\n```\nd", 3) == ["a = b", "forall n, n = n", "c"]


def test_the_first_to_prove_a_goal_is_heard():
    cache, goal = ProgressCache(), Goal(("n : nat",), "n = n")
    cache.publish(goal, ("auto.",))
    cache.publish(goal, ("easy.",))
    assert cache.steps(goal) == ("auto.",) and cache.steps(Goal((), "n = n")) is None and len(cache) == 1

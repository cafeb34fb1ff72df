"""Best-first search: whose turn it is, what is kept, what is shared, and that only a validated proof counts."""

import pytest

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.search import ProofCache, Proposal, SearchConfig, best_first, score, search_from
from agentgym.envs.prover.verify import verify
from tests.envs.prover.conftest import ADD_0_R

TACTICS = [
    ("induction n.", -4.0),
    ("reflexivity.", -1.0),
    ("simpl.", -1.0),
    ("rewrite IHn.", -1.2),
    ("nonsense.", -0.1),
    ("intros", -3.0),
]


def fixed(tactics, asked=None):
    async def propose(goals):
        if asked is not None:
            asked.append(goals.here[0].conclusion)
        return [Proposal(*each) for each in tactics]

    return propose


async def anything(proof):
    return True


def test_score():
    """The numbers of the formula; with alpha a longer path of the same likelihood a step goes first."""
    assert score(-6.0, 2, 1.0) == -3.0 and score(-6.0, 2, 2.0) == -1.5 and score(-6.0, 2, 0.0) == -6.0
    assert score(0.0, 0, 2.0) == 0.0
    assert score(-4.0, 4, 2.0) > score(-1.0, 1, 2.0) and score(-4.0, 4, 0.0) < score(-1.0, 1, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [1, 2])
async def test_it_finds_a_proof_that_holds(prover, runtime, parallel):
    async def validate(proof):
        return (await verify(ADD_0_R, proof, (), runtime)).ok

    found = await best_first(prover, ADD_0_R, fixed(TACTICS), validate, SearchConfig(alpha=0.0, parallel=parallel))
    assert found.proof is not None and found.proof[0] == "1: induction n." and found.refused == 0


async def test_a_state_is_expanded_once_and_the_budget_holds(prover):
    asked = []
    turning = [("symmetry.", -0.1), ("idtac.", -0.1), ("intros n.", -0.1)]
    found = await best_first(prover, ADD_0_R, fixed(turning, asked), anything, SearchConfig(expansions=50))
    assert found.proof is None and found.expansions == len(asked) == len(set(asked)) == 3
    found = await best_first(
        prover, ADD_0_R, fixed([("assert True by exact I.", -1.0)]), anything, SearchConfig(expansions=4)
    )
    assert found.proof is None and found.expansions == 4


async def test_alpha_decides_between_deep_and_shallow(prover):
    """Two ways: a sure one that is long and an unlikely one that is short."""
    tactics = [("assert True by exact I.", -1.0), ("pose proof I as k.", -2.5)]
    seen = {}
    for alpha in (0.0, 2.0):
        asked = []

        async def propose(goals, asked=asked):
            asked.append(sum(line.split(":")[0].count(",") + 1 for line in goals.here[0].hypotheses))
            return [Proposal(*each) for each in tactics]

        await best_first(prover, ADD_0_R, propose, anything, SearchConfig(alpha=alpha, expansions=5))
        seen[alpha] = asked
    assert seen[2.0] == [0, 1, 2, 3, 4] and max(seen[0.0]) < 4


async def test_proofs_are_shared(prover):
    """A second search needs no model where the first one has been."""
    cache = ProofCache()
    first = await best_first(prover, ADD_0_R, fixed(TACTICS), anything, SearchConfig(alpha=0.0), cache)
    assert first.proof is not None and len(cache) == len(first.proof)
    second = await best_first(prover, ADD_0_R, fixed([]), anything, cache=cache)
    assert second.proof == first.proof and second.expansions == 0 and second.tactics == len(first.proof)
    other = Problem("Test.Other", "Require Import Lia. \n", ADD_0_R.statement, ADD_0_R.name)
    assert (await best_first(prover, other, fixed([]), anything, cache=cache)).proof is None


@pytest.mark.slow
async def test_what_only_the_session_believes_is_refused(prover, runtime):
    async def validate(proof):
        return (await verify(ADD_0_R, proof, (), runtime)).ok

    cache = ProofCache()
    tactics = [("exact_no_check I.", -0.1), ("admit.", -0.1), ("intros; lia.", -5.0)]
    found = await best_first(prover, ADD_0_R, fixed(tactics), validate, cache=cache)
    assert found.proof == ("1: intros; lia.",) and found.refused == 1 and len(cache) == 1


async def test_a_budget_of_tactics_or_seconds_holds_and_every_tactic_is_told(prover):
    """Doubles are tried once, and paid for as tokens all the same."""
    edges = []
    tactics = [("assert True by exact I.", -1.0), ("assert True by exact I.", -1.0), ("nonsense.", -2.0)]
    found = await best_first(
        prover, ADD_0_R, fixed(tactics), anything, SearchConfig(tactics=5, tactic_s=2.0), watch=edges.append
    )
    assert found.proof is None and found.tactics == len(edges) == 5 and found.tokens == 9
    assert [edge.result.kind for edge in edges] == ["open", "error", "open", "error", "open"]
    assert edges[2].before == edges[0].result.goals and found.cpu_s == pytest.approx(
        sum(edge.result.cpu_s for edge in edges)
    )
    found = await best_first(prover, ADD_0_R, fixed(tactics), anything, SearchConfig(cpu_s=0.0))
    assert found.tactics == 0


async def test_a_tactic_counts_by_its_mean_token_or_by_the_sum(prover):
    """One tactic of many likely tokens, and one of a single token that is less likely than each of them."""
    proposals = [Proposal("pose proof I as long.", -3.0, 6), Proposal("pose proof I as short.", -1.0, 1)]
    for edge, first in (("mean", "long"), ("sum", "short")):
        asked = []

        async def propose(goals, asked=asked):
            asked.append(goals.here[0].hypotheses)
            return proposals

        await best_first(prover, ADD_0_R, propose, anything, SearchConfig(edge=edge, expansions=2))
        assert asked[1] == (f"{first} : True",)


async def test_a_search_may_begin_anywhere_and_ends_where_its_goals_end(prover):
    """Of two goals only the focused one is looked at; what comes of it is all steps from the theorem on."""
    state = (await prover.open(ADD_0_R)).state
    for step in ("assert (help : 1 = 1).", "{"):
        state = (await prover.run_tac(state, step, 2.0)).state
    found = await search_from(prover, ADD_0_R, state, fixed([("reflexivity.", -1.0)]), anything)
    assert found.proof == (*state.path, "1: reflexivity.") and found.expansions == 1

"""The small model: its probabilities are some, it learns what a goal wants, and a seed says all of it."""

import math

import pytest

from agentgym.envs.prover.backend import Goals, Problem
from agentgym.envs.prover.learning.learner import ALWAYS, SmallProver
from agentgym.envs.prover.learning.model import FitConfig
from agentgym.envs.prover.render import first_goal, goals
from agentgym.errors import UsageError
from agentgym.seeds import derive_seed
from tests.envs.prover.learning.conftest import goal_text, transition

HEADER = "Lemma orbs : forall b, orb b b = b.\nLemma sums : forall n, plus n 0 = n.\n"
PROBLEMS = {name: Problem("Test.Own", HEADER, f"Theorem {name} : True.", name) for name in ("t0", "t1", "t2", "t3")}
SHOWN = {
    "rewrite orbs.": goal_text("orb (f x) (f x) = f x", "x : bool"),
    "rewrite sums.": goal_text("plus (f y) 0 = f y", "y : nat"),
    "apply H.": goal_text("P a", "a : nat", "H : P a"),
    "split.": goal_text("A /\\ B", "A, B : Prop"),
}
TAUGHT = [transition(theorem, before, tactic, proved=True) for theorem in PROBLEMS for tactic, before in SHOWN.items()]
FITTING = FitConfig(epochs=25, lr=2e-2, batch_size=4, dropout=0.0)


@pytest.fixture(scope="module")
def base():
    return SmallProver.base(TAUGHT, PROBLEMS, seed=3, fitting=FITTING)


@pytest.fixture(scope="module")
def learnt(base):
    return base.learnt(TAUGHT, seed=1)


async def best(prover, before, count=1):
    found = await prover.propose(PROBLEMS["t0"])(Goals((first_goal(before),)))
    return found[:count]


async def test_it_learns_which_tactic_and_which_name(base, learnt):
    for tactic, before in SHOWN.items():
        [proposal] = await best(learnt, before)
        assert proposal.tactic == tactic and math.exp(proposal.logprob) > 0.5
        assert proposal.tokens == (1 if tactic == "split." else 2)
    [other] = await best(learnt, SHOWN["rewrite sums."].replace("y", "z"))
    assert other.tactic == "rewrite sums."
    assert max(learnt.perplexities(TAUGHT)) < min(base.perplexities(TAUGHT))


async def test_probabilities_are_some_and_the_same_both_ways(base):
    before = SHOWN["apply H."]
    base.width = 10_000
    proposals = await best(base, before, 10_000)
    texts = [each.tactic for each in proposals]
    assert len(set(texts)) == len(texts) and set(ALWAYS[:3]) <= set(texts)
    assert sum(math.exp(each.logprob) for each in proposals) <= 1 + 1e-5
    assert [each.logprob for each in proposals] == sorted((each.logprob for each in proposals), reverse=True)
    [perplexity] = base.perplexities([transition("t0", before, "apply H.")])
    [same] = [each for each in proposals if each.tactic == "apply H."]
    assert perplexity == pytest.approx(math.exp(-same.logprob / same.tokens), rel=1e-4)


def test_a_seed_says_all_of_it(base, learnt):
    again = SmallProver.base(TAUGHT, PROBLEMS, seed=3, fitting=FITTING).learnt(TAUGHT, seed=1)
    assert again.perplexities(TAUGHT) == learnt.perplexities(TAUGHT)
    assert base.learnt(TAUGHT, seed=2).perplexities(TAUGHT) != learnt.perplexities(TAUGHT)


async def test_every_prefix_learns_from_its_own_slice():
    """The same goal, proved in two ways by the theorems of two slices."""
    slices = {name: derive_seed("prefix", name) % 2 for name in (f"s{number}" for number in range(12))}
    assert set(slices.values()) == {0, 1}
    problems = dict.fromkeys(slices, PROBLEMS["t0"])
    ways = ("split.", "tauto.")
    taught = [transition(name, SHOWN["split."], ways[prefix], proved=True) for name, prefix in slices.items()]
    prover = SmallProver.base(taught, problems, prefixes=2, fitting=FITTING).learnt(taught, seed=0)
    goals = Goals((first_goal(SHOWN["split."]),))
    for prefix, way in enumerate(ways):
        assert (await prover.propose(PROBLEMS["t0"], prefix)(goals))[0].tactic == way


async def test_what_it_can_not_say(base):
    strange = transition("t0", SHOWN["split."], "exotic tactic 1.")
    assert base.perplexities([strange]) == [math.inf]
    with pytest.raises(UsageError, match="nothing to learn"):
        base.learnt([strange, transition("t0", "No goal is focused.", "split.")], seed=0)
    with pytest.raises(UsageError, match="vocabulary"):
        SmallProver.base([], {})
    assert await base.propose(PROBLEMS["t0"])(Goals()) == []


def test_the_first_goal_is_read_as_it_was_shown():
    for before in SHOWN.values():
        goal = first_goal(f"noise\n\n{before}\n\nGoal 2 of 2:\nQ")
        assert goal is not None and goals(Goals((goal,))) == before
    assert first_goal("No goals left.") is None

"""Expert iteration on real Coq and small theorems of our own: what is learnt from, what is not, and going on."""

import pytest

from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning import baselines
from agentgym.envs.prover.learning.expert import ExpertConfig, iterate, latest
from agentgym.envs.prover.learning.learner import SmallProver
from agentgym.envs.prover.learning.library import replay
from agentgym.envs.prover.learning.model import FitConfig
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import TransitionStore
from agentgym.envs.prover.search import Proposal, SearchConfig
from agentgym.errors import UsageError
from tests.envs.prover.learning.conftest import goal_text, own_task, transition


@pytest.fixture
def arena(runtime, pool):
    return Arena(runtime, pool, SearchConfig(alpha=1.0, tactics=20, tactic_s=2.0, expansions=50))


def base_of(tasks):
    seed = [transition(tasks[0].id, goal_text("n = n", "n : nat"), "reflexivity.")]
    fitting = FitConfig(epochs=3, lr=1e-2)
    return SmallProver.base(seed, {task.id: problem_of(task) for task in tasks}, seed=0, width=8, fitting=fitting)


async def test_it_searches_learns_and_goes_on(arena, tasks, tmp_path):
    store = TransitionStore(tmp_path / "t.jsonl")
    base, config = base_of(tasks), ExpertConfig(rounds=2, retrain_every=2, keep=(0.0, 1.0), retrain_keep=(0.0, 1.0))
    stages = [stage async for stage in iterate(base, tasks, store, arena, config)]
    first, second = (stage.round for stage in stages)
    assert first.searched == second.searched == len(tasks) and second.proved >= first.proved >= 2
    assert second.retrained and not first.retrained and first.kept == first.positives - first.unsayable > 0
    proofs = {each.theorem: each.proof for each in store.searched.values() if each.proof and each.round == 1}
    for theorem, proof in proofs.items():
        path = [each for each in store.positives([1]) if each.theorem == theorem]
        assert sorted(f"1: {each.tactic}" for each in path) == sorted(proof)
    assert all(each.logprob is not None and each.logprob < 0 for each in store.transitions)
    again = TransitionStore(store.path)
    stages = [stage async for stage in iterate(base, tasks, again, arena, config)]
    assert [stage.round for stage in stages] == [first, second] and len(again) == len(store)


async def test_nothing_is_learnt_from_what_is_held_out(arena, tasks, pool, tmp_path):
    store, held_out = TransitionStore(tmp_path / "t.jsonl"), own_task("twice", "test")
    with pytest.raises(UsageError, match="held out"):
        await anext(iterate(base_of(tasks), [held_out], store, arena, ExpertConfig()))
    with pytest.raises(UsageError, match="held out"):
        await replay(pool, [held_out], store)
    assert len(store) == 0


async def test_a_refused_proof_teaches_nothing(arena, tasks):
    def cheat(problem):
        async def propose(goals):
            return [Proposal("exact_no_check I.", -0.1), Proposal("intros.", -0.2)]

        return propose

    attempts = [each async for each in arena.search(tasks[:2], cheat)]
    assert all(each.found.proof is None and each.found.refused > 0 for each in attempts)
    assert not any(each.proved for attempt in attempts for each in attempt.transitions)


async def test_the_union_of_automation_is_a_search_of_one_expansion(runtime, pool, tasks):
    arena = Arena(runtime, pool, SearchConfig(expansions=1, tactic_s=2.0))
    attempts = {each.theorem: each async for each in arena.search(tasks, baselines.once(("auto", "tauto")))}
    assert {name: each.proved for name, each in attempts.items()} == {
        "and_comm_own": True,
        "or_comm_own": True,
        "plus_zero": True,
        "twice": True,
    }
    assert attempts["plus_zero"].within(1) and not attempts["and_comm_own"].within(1)
    altered = [
        each
        async for each in arena.search(
            tasks[:1], baselines.once(("sauto",)), alter=lambda _: problem_of(own_task("twice"))
        )
    ]
    assert not altered[0].proved and not altered[0].failed
    problem = problem_of(tasks[0])
    assert baselines.with_hammer(problem).header.endswith(baselines.HAMMER)


async def test_the_librarys_own_proofs_are_replayed_once(pool, tmp_path):
    task = own_task("and_comm_own")
    task.secret["steps"] = ["intros A B [a b].", "split.", "-", "exact b.", "-", "exact a."]
    broken = own_task("twice")
    broken.secret["steps"] = ["intros n m.", "exact wrong."]
    store = TransitionStore(tmp_path / "t.jsonl")
    await replay(pool, [task, broken], store)
    assert [each.tactic for each in store.positives()] == ["intros A B [a b].", "split.", "exact b.", "exact a."]
    assert store.positives()[-1].kind == "finished" and store.searched["twice", 0].proof is None
    size = store.path.stat().st_size
    await replay(pool, [task, broken], store)
    assert store.path.stat().st_size == size


def test_the_latest_proof_of_each_theorem():
    every = [transition("a", round=0), transition("a", round=2), transition("b", round=1), transition("a", round=1)]
    assert [(each.theorem, each.round) for each in latest(every)] == [("a", 2), ("b", 1)]

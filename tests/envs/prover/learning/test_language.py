"""Language models as step-provers: one made on the spot learns what a search found, and proves by search with it."""

import math

import pytest

from agentgym.envs.prover.backend import Goal, Goals
from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning import baselines, language
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import TransitionStore
from agentgym.envs.prover.search import SearchConfig
from agentgym.errors import LimitExceeded, PolicyError, UsageError
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.policy import Scripted
from agentgym.trainers import sft
from agentgym.trainers.models import small_model, train_tokenizer
from agentgym.types import Action
from tests.envs.prover.learning.conftest import own_task, transition

GOALS = Goals((Goal(("n : nat",), "n + 0 = n"),))


@pytest.fixture
def arena(runtime, pool):
    return Arena(runtime, pool, SearchConfig(expansions=3, tactic_s=2.0))


def raising(error):
    def play(context):
        raise error

    return Scripted("broken", play)


async def test_what_a_search_found_is_taught_and_proves_again(arena, tasks, tmp_path):
    store = TransitionStore(tmp_path / "t.jsonl")
    async for attempt in arena.search(tasks, baselines.once()):
        store.add(attempt.transitions)
    found = store.positives()
    assert len(found) >= 2
    codec = CompactCodec(train_tokenizer([text for each in found for text in (each.before, each.tactic)], 400))
    model = small_model(codec.tokenizer, hidden=64, layers=2)
    rows = language.rows(found, codec)
    assert all(sum(row.mask) == len(row.ids) - row.prompt_len > 1 for row in rows)
    sft.train(model, rows, codec.tokenizer.pad_token_id, sft.SFTConfig(steps=60, lr=5e-3, batch_size=8, warmup=5))
    taught = LocalPolicy(model, codec, temperature=0.0, max_new_tokens=32)
    proved = [own for own in tasks if own.id in {each.theorem for each in found}]
    async for attempt in arena.search(proved, lambda problem: language.prover(taught, problem, samples=1)):
        assert attempt.proved and attempt.found.tactics == 1, attempt


def test_rows_say_tactics_in_one_line():
    codec = CompactCodec(train_tokenizer(["split; auto."], 300))
    [row] = language.rows([transition(tactic="split;\n  auto.", before="A")], codec, begin="Coq. ", end=" Now:")
    said = codec.tokenizer.decode(row.ids[row.prompt_len :], skip_special_tokens=True)
    asked = codec.tokenizer.decode(row.ids[: row.prompt_len], skip_special_tokens=True)
    assert (asked, said) == ("Coq. A::: Now:", "split; auto.") and set(row.turn[row.prompt_len :]) == {0}
    with pytest.raises(UsageError, match="no tactics"):
        language.rows([], codec)


async def test_a_state_too_long_has_no_proposals():
    propose = language.prover(raising(LimitExceeded("context", "too long")), problem_of(own_task("twice")), 2)
    assert await propose(GOALS) == []


async def test_an_endpoint_that_fails_counts_neither_for_nor_against(arena):
    broken = raising(PolicyError("no answer"))
    search = arena.search([own_task("twice")], lambda problem: language.prover(broken, problem, 2))
    [attempt] = [each async for each in search]
    assert attempt.failed == "no answer" and not attempt.proved


async def test_a_model_without_log_probabilities():
    """All its answers count as equally likely, and words are its tokens."""
    policy = Scripted("words", lambda context: Action("I think so\nauto with arith.", reasoning="let me see"))
    proposals = await language.prover(policy, problem_of(own_task("plus_zero")), 4)(GOALS)
    assert len(proposals) == 4 and {each.tactic for each in proposals} == {"auto with arith."}
    assert proposals[0].tokens == 9 and proposals[0].logprob == pytest.approx(-9 * math.log(4))

"""What proofs cost: who thinks when, whose prefix, and that every token is on the bill."""

import math

import pytest

from agentgym.envs.prover.learning.economy import EconomyConfig, asking, attempt_all, bill, preferences
from agentgym.envs.prover.learning.searching import Arena, Attempt
from agentgym.envs.prover.search import Found, SearchConfig
from agentgym.policy import Scripted
from agentgym.types import Action, Sample
from tests.envs.prover.learning.conftest import own_task

THINK = "Think."


def thinker(asked=None):
    """Proves or_comm_own directly, and_comm_own only after long reasoning, nothing else."""

    def play(context):
        text = context.messages[0].text
        if asked is not None:
            asked.append(text)
        if "\\/" in text:
            return Action("tauto.", sample=Sample(0, [], [1] * 5, [-0.1] * 5))
        if "/\\" in text and text.endswith(THINK):
            return Action("hm\ntauto.", sample=Sample(0, [], [1] * 100, [-0.1] * 100))
        return Action("fail.", sample=Sample(0, [], [1] * 5, [-0.1] * 5))

    return Scripted("thinker", play)


@pytest.fixture
def arena(runtime, pool):
    return Arena(runtime, pool, SearchConfig(expansions=3, tactic_s=2.0))


async def spent(arena, config, policy, *names):
    tasks = [own_task(name) for name in names]
    return [each async for each in attempt_all(arena, tasks, asking(policy, config), config.passes)]


async def test_thinking_only_where_it_helps_costs_less(arena):
    names = ("or_comm_own", "and_comm_own", "plus_zero")
    bills = {}
    for thinking in ("never", "always", "switch"):
        config = EconomyConfig(passes=2, thinking=thinking, direct_passes=1, think=THINK, samples=2)
        attempts = await spent(arena, config, thinker(), *names)
        bills[thinking] = bill(attempts)
    assert {name: each.proved for name, each in bills.items()} == {"never": 1, "always": 2, "switch": 2}
    # two samples a state: 10 tokens directly, 200 for and_comm_own with reasoning; what is proved gets no second pass
    assert {name: each.tokens for name, each in bills.items()} == {"never": 50, "always": 230, "switch": 240}
    assert bills["switch"].theorems == 3 and bills["switch"].each()["tokens"] == 120 and bills["never"].tactics == 5


async def test_every_pass_has_its_prefix(arena):
    asked = []
    config = EconomyConfig(passes=3, thinking="never", prefixes=("A. ", "B. "), samples=1)
    await spent(arena, config, thinker(asked), "plus_zero")
    assert [each[:2] for each in asked] == ["A.", "B.", "A."] and all(each.endswith(":::") for each in asked)


def test_what_a_switch_should_learn():
    proved, open_ = Found(("auto.",)), Found(None)
    direct = [Attempt("a", proved), Attempt("b", open_), Attempt("c", open_)]
    thinking = [Attempt("a", proved), Attempt("b", proved), Attempt("c", open_)]
    assert preferences(direct, thinking) == {"a": "direct", "b": "think"}
    nothing = bill([])
    assert nothing.proved == 0 and nothing.each()["tokens"] == math.inf

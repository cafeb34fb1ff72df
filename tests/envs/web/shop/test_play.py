"""The shop in a real browser: the oracle buys, a hand-played episode is paid in part, cheats get nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import agentgym
from agentgym.envs.web.shop.cheats import CHEATS
from agentgym.envs.web.shop.specs import SHOP
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.testing import check_environment
from agentgym.types import Action, ToolCall


def call(name, **given):
    return Action(calls=(ToolCall("c", name, json.dumps(given)),))


@pytest.fixture
async def runtime():
    async with Runtime() as runtime:
        yield runtime


async def test_the_oracle_buys_what_is_wanted_and_a_fork_goes_its_own_way(runtime):
    tasks = await runtime.tasks(SHOP).take("test", 1)
    async for trajectory in collect(SHOP, SHOP.policies["oracle"](), tasks, runtime=runtime):
        assert trajectory.record is not None and trajectory.record.success == trajectory.record.total == 1.0
        order = json.loads(trajectory.artefacts["orders"])[0]
        assert order["lines"][0]["product"] == tasks[0].secret["product"]
    env = agentgym.make(SHOP, runtime=runtime)
    await env.reset(task=tasks[0])
    for turn in trajectory.turns[:3]:
        await env.step(turn.action)
    branch = await env.fork()
    assert await branch.state_hash() == await env.state_hash()
    for turn in trajectory.turns[3:]:
        *_, info = await branch.step(turn.action)
    assert info.record.success == 1.0 and env.ended is None and not env.site.store.orders()
    await branch.close()
    *_, info = await env.step(call("send_msg_to_user", text="no"))
    assert info.record.success == info.record.total == 0.0
    await env.close()


async def test_the_site_is_all_there_is(runtime):
    [task] = await runtime.tasks(SHOP).take("train", 1)
    env = agentgym.make(SHOP, runtime=runtime)
    seen, _ = await env.reset(task=task)
    assert "http://shop.test/" in seen.messages[0].text and "127.0.0.1" not in seen.messages[0].text
    for url in (
        "http://127.0.0.1:1/",
        "http://shop.test.evil/",
        "javascript:alert(1)",
        "http://shop.test:80@127.0.0.1/",
    ):
        seen, *_ = await env.step(call("goto", url=url))
        assert "is not of this site" in seen.messages[0].text
    seen, *_ = await env.step(call("goto", url="/cart"))
    assert "Your cart is empty" in seen.messages[0].text
    await env.close()


async def test_from_the_page_of_the_product_it_is_three_turns(runtime):
    near = SHOP.configure(start="item")
    tasks = await runtime.tasks(near).take("validation", 2)
    async for trajectory in collect(near, near.policies["oracle"](), tasks, runtime=runtime):
        assert trajectory.record is not None and trajectory.record.success == 1.0
        assert len(trajectory.turns) == 3
        assert "button 'Add to cart'" in trajectory.turns[0].observation.messages[0].text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "orders", "cart"),
    [
        ("two-of-it", [[2]], 0),
        ("everything", [[1, 1]], 0),
        ("something-else", [[1]], 0),
        ("left-in-cart", [], 1),
        ("negative-quantity", [], 0),
    ],
)
async def test_cheats_do_what_they_say_and_get_nothing(runtime, name, orders, cart):
    tasks = await runtime.tasks(SHOP).take("train", 1)
    async for trajectory in collect(SHOP, CHEATS[f"cheat/{name}"](), tasks, runtime=runtime):
        found = json.loads(trajectory.artefacts["orders"])
        assert [[line["count"] for line in order["lines"]] for order in found] == orders
        assert len(json.loads(trajectory.artefacts["cart"])) == cart
        assert trajectory.record is not None and trajectory.record.success == 0.0


@pytest.mark.nightly
@pytest.mark.parametrize("start", ["home", "item"])
async def test_every_cheat_gets_nothing_and_the_audit_passes(start):
    """Near the end, clicks at random may happen to buy the right thing."""
    assert len(CHEATS) >= 8
    spec = replace(SHOP.configure(start=start), chance=0.2 if start == "item" else 0.0)
    report = await check_environment(spec, limit=4)
    assert report.passed, report.problems

"""Episodes in the real browser: the oracle, bad input, the stage of single steps, pictures on their way to an endpoint and to disk."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from agentgym.envs.gui.tasks.cheats import CHEATS
from agentgym.envs.gui.tasks.specs import FORMAT, TASKS
from agentgym.policies.openai import OpenAIPolicy
from agentgym.rollout import collect
from agentgym.store import Store
from agentgym.testing import check_environment
from tests.servers import Answer, AnsweringServer, completion, listening


async def play(runtime, policy, tasks, spec=TASKS, **more):
    return [each async for each in collect(spec, policy, tasks, runtime=runtime, concurrency=3, **more)]


async def test_the_oracle_does_what_is_asked_in_every_application_by_pictures_alone(runtime):
    tasks = await runtime.tasks(TASKS).take("test", 5)
    assert {task.payload["app"] for task in tasks} == {"settings", "shop", "miniwob"}
    for trajectory in await play(runtime, TASKS.policies["oracle"](), tasks):
        assert (trajectory.status, trajectory.success) == ("scored", 1.0), trajectory.key
        assert trajectory.record.total == 2.0  # and the form
        for turn in trajectory.turns:
            *texts, picture = turn.observation.messages[-1].content
            assert picture.media_type == "image/png"
            assert "http" not in "".join(text.text for text in texts)


async def test_single_steps_are_paid_if_they_are_the_oracles(runtime):
    spec = TASKS.configure(stage="step")
    tasks = [await runtime.tasks(spec).get(id) for id in ("settings-phone/0@1", "shop-phone/0@4", "miniwob-window/0@0")]
    right = await play(runtime, spec.policies["oracle"](), tasks, spec)
    wrong = await play(runtime, spec.policies["noop"](), tasks, spec)
    assert [(len(each.turns), each.success) for each in right] == [(1, 1.0)] * 3
    assert [(len(each.turns), each.success) for each in wrong] == [(1, 0.0)] * 3
    shown = next(each for each in right if each.key.task == "shop-phone/0@4").turns[0].observation.messages[0].text
    assert "Done so far:\n1. tap the searchbox" in shown


async def test_bad_input_is_answered(hand):
    seen = await hand.start("settings-phone/0")
    wide, high = struct.unpack(">II", hand.pictures[0].data[16:24])
    assert (wide, high) == (392, 784)
    assert "The screenshot is 392 x 784 pixels" in seen.messages[0].text
    assert "not on the screen" in await hand.do(action="click", coordinate=[400, 20])
    assert "bad arguments" in await hand.do(action="click", coordinate=["a", "b"])
    assert "bad arguments" in await hand.do(action="hack")
    assert "no field has the focus" in await hand.do(action="type", text="hello")
    assert "not the time for tool" in await hand.do("computer_use", action="wait")
    assert "there is no tool" in await hand.do("goto", url="javascript:1")
    assert "No action was understood" in await hand.send("I click somewhere")
    assert "No action was understood" in await hand.send("<tool_call>{</tool_call>")
    assert "call mobile_use" in await hand.send('<tool_call>{"name": "evaluate", "arguments": {}}</tool_call>')
    assert "Done." in await hand.send("<tool_call>{\"name\": \"mobile_use\", \"arguments\": {\"action\": \"click\", \"coordinate\": [196, 90]}}</tool_call>")  # fmt: skip
    assert hand.pictures
    assert "Done." in await hand.send("mobile_use(action='system_button', button='Back')")
    await hand.do(action="terminate", status="success")
    assert hand.over and hand.info.record.success == 0.0


async def test_a_mouse_and_keys_on_a_page_that_is_shown_twice_as_large(hand):
    await hand.start("miniwob-window/14", coordinates="thousand")
    assert hand.task.payload["page"] == "enter-text"
    word = hand.seen.messages[0].text.partition('"')[2].partition('"')[0]
    step = await hand.env.reveal()
    x, y = (round(1000 * at / side) for at, side in zip(step.at, (672, 448), strict=True))
    await hand.do("computer_use", action="left_click", coordinate=[x, y])
    await hand.do("computer_use", action="type", text="wrong")
    await hand.do("computer_use", action="key", keys=["ctrl", "a"])
    await hand.do("computer_use", action="type", text=word)
    step = await hand.env.reveal()
    x, y = (round(1000 * at / side) for at, side in zip(step.at, (672, 448), strict=True))
    await hand.do("computer_use", action="left_click", coordinate=[x, y])
    assert hand.over and hand.info.record.success == 1.0


async def test_a_fake_endpoint_is_sent_the_screenshots_and_the_store_keeps_them_as_files(runtime, tmp_path):
    calls = iter([{"action": "click", "coordinate": [196, 90]}, {"action": "system_button", "button": "Back"}])
    given = {"action": "terminate", "status": "failure"}

    def answer(request):
        return Answer(200, completion("", [("mobile_use", json.dumps(next(calls, given)))]))

    tasks = [await runtime.tasks(TASKS).get("settings-phone/1")]
    with listening(AnsweringServer(answer)) as fake_endpoint:
        policy = OpenAIPolicy("fake", base_url=fake_endpoint.url, api_key="none-needed", images=2)
        store = Store(tmp_path)
        (trajectory,) = await play(runtime, policy, tasks, store=store)
        await policy.close()
    assert trajectory.end == "given_up"
    assert [tool["function"]["name"] for tool in fake_endpoint.requests[0]["tools"]] == ["mobile_use"]
    third = fake_endpoint.requests[2]["messages"]
    assert [each["role"] for each in third] == ["user", "assistant", "tool", "user", "assistant", "tool", "user"]
    assert all(isinstance(each["content"], str) for each in third if each["role"] == "tool")
    sent = [part["image_url"]["url"] for each in third if isinstance(each["content"], list) for part in each["content"] if part["type"] == "image_url"]  # fmt: skip
    assert len(sent) == 2 and "an earlier image" in str(third[0]["content"])
    shown = [part for turn in trajectory.turns for part in turn.observation.messages[-1].content if part.type == "blob"]
    assert sent == [f"data:image/png;base64,{base64.b64encode(each.data).decode()}" for each in shown[1:]]
    (kept,) = Store(tmp_path)
    digests = [
        part.digest for turn in kept.turns for part in turn.observation.messages[-1].content if part.type == "blob"
    ]
    assert [store.blob(digest) for digest in digests] == [each.data for each in shown]
    assert b"iVBOR" not in store.path.read_bytes()


def test_the_form_alone_can_be_paid():
    assert FORMAT.success_channel == "format"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CHEATS))
async def test_cheats_get_nothing(runtime, name):
    assert len(CHEATS) >= 8
    for trajectory in await play(runtime, CHEATS[name](), await runtime.tasks(TASKS).take("train", 3)):
        assert (trajectory.status, trajectory.success) == ("scored", 0.0)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
async def test_the_oracle_solves_every_page_of_miniwob_and_many_others(runtime):
    tasks = await runtime.tasks(TASKS).take("validation", 150)
    assert [
        each.key.task for each in await play(runtime, TASKS.policies["oracle"](), tasks) if each.success != 1.0
    ] == []


@pytest.mark.nightly
@pytest.mark.timeout(1800)
async def test_the_audit_passes():
    report = await check_environment(TASKS, limit=20)
    assert report.passed, report.problems

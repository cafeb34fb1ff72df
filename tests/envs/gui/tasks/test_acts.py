"""What is read from a call, when it is the oracle's step, and the form of a message: no browser."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.gui.coordinates import SAID
from agentgym.envs.gui.tasks.acts import Act, Reader, combination
from agentgym.envs.gui.tasks.devices import DEVICES
from agentgym.envs.gui.tasks.form import called, well_formed
from agentgym.envs.gui.tasks.steps import Step, agrees, arguments
from agentgym.errors import ToolError
from agentgym.types import Action, ToolCall

PHONE, DESKTOP = DEVICES["phone"], DEVICES["desktop"]
SCREEN = ((0.0, 0.0, 1288.0, 784.0),)
STEPS = {
    "tap": Step("tap", boxes=((10, 20, 60, 30),), at=(40, 35)),
    "down": Step("scroll", "down", boxes=SCREEN),
    "type": Step("type", "Maple"),
    "enter": Step("key", "Enter"),
    "done": Step("done"),
    "wait": Step("wait"),
}


def read(device, given, convention="pixel"):
    reader = Reader(device.size, convention)
    return reader.mobile(given["action"], given) if device is PHONE else reader.computer(given["action"], given, (0, 0))


@pytest.mark.parametrize("name", sorted(STEPS))
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("convention", sorted(SAID))
def test_the_oracles_step_said_and_read_again_is_the_same_and_no_other_is(name, device, convention):
    act = read(device, arguments(STEPS[name], device, convention), convention)
    assert [other for other, step in STEPS.items() if agrees(act, step)] == [name]


@given(st.floats(-2_000, 2_000), st.floats(-2_000, 2_000))
def test_a_tap_agrees_if_and_only_if_it_is_in_the_box(x, y):
    step = STEPS["tap"]
    assert agrees(Act("tap", (x, y)), step) == (10 <= x <= 70 and 20 <= y <= 50)
    assert not agrees(Act("tap", (40, 35), button="right"), step)
    assert not agrees(Act("hold", (40, 35)), step)


def test_a_label_is_as_good_as_its_box_and_a_swipe_must_go_the_right_way():
    both = replace(STEPS["tap"], boxes=(*STEPS["tap"].boxes, (100, 20, 50, 30)))
    assert agrees(Act("tap", (120, 30)), both)
    assert agrees(Act("swipe", (200, 600), (190, 100)), STEPS["down"])
    assert not agrees(Act("swipe", (200, 100), (190, 600)), STEPS["down"])
    assert not agrees(Act("type", text="maple"), STEPS["type"])
    assert not agrees(Act("done", text="failure"), STEPS["done"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"action": "click"}, "needs 'coordinate'"),
        ({"action": "click", "coordinate": [1.0]}, "two numbers"),
        ({"action": "click", "coordinate": [float("nan"), 1.0]}, "not on the screen"),
        ({"action": "click", "coordinate": [393.0, 1.0]}, "not on the screen, which is 392 x 784"),
        ({"action": "click", "coordinate": [-1.0, 1e308]}, "not on the screen"),
        ({"action": "swipe", "coordinate": [1.0, 1.0]}, "needs 'coordinate2'"),
        ({"action": "type"}, "needs 'text'"),
        ({"action": "type", "text": "x" * 2_001}, "at most 2000"),
        ({"action": "wait", "time": float("inf")}, "no usable number"),
        ({"action": "wait", "time": 11.0}, "0 to 10"),
        ({"action": "system_button"}, "needs 'button'"),
        ({"action": "terminate"}, "needs 'status'"),
    ],
)
def test_what_can_not_be_done_is_told(given, said):
    with pytest.raises(ToolError, match=said):
        read(PHONE, given)


def test_keys_have_many_names():
    assert combination(["ctrl", "a"]) == combination(["Ctrl+A"]).replace("A", "a") == "Control+a"
    assert combination(["pagedown"]) == "PageDown"
    for bad in ([], [""], ["a"] * 6):
        with pytest.raises(ToolError):
            combination(bad)


CALL = '{"name": "mobile_use", "arguments": {"action": "wait"}}'
NATIVE = (ToolCall("c", "mobile_use", "{}"),)


@pytest.mark.parametrize(
    ("action", "right"),
    [
        (Action(f"<thinking>a</thinking><action>b</action><tool_call>{CALL}</tool_call>"), True),
        (Action(f"<think>a</think>\n<action>b</action>\n<tool_call>\n{CALL}\n</tool_call>\n"), True),
        (Action("<thinking>a</thinking><action>b</action>", NATIVE), True),
        (Action("<action>b</action>", NATIVE, reasoning="a"), True),
        (Action("<action>b</action>", NATIVE), False),
        (Action("<thinking>a</thinking>", NATIVE), False),
        (Action("<thinking>a</thinking><action>b</action>"), False),
        (Action("<thinking>a</thinking><action>b</action>", NATIVE * 2), False),
        (Action(f"<thinking>a</thinking><action>b</action><tool_call>{CALL}</tool_call>", NATIVE), False),
        (Action("<thinking>a</thinking><action>b</action><tool_call>{</tool_call>"), False),
        (Action(f"<tool_call>{CALL}</tool_call><thinking>a</thinking><action>b</action>"), False),
        (Action("<thinking>a</action><action>b</thinking>", NATIVE), False),
        (Action("sure! <thinking>a</thinking><action>b</action>", NATIVE), False),
        (Action("<thinking> </thinking><action>b</action>", NATIVE), False),
    ],
)
def test_the_form(action, right):
    assert well_formed(action) is right


@given(st.text(max_size=200))
def test_calls_written_in_any_text_are_read_or_refused(text):
    found = called(f"<tool_call>{text}</tool_call>")
    assert found is None or all(isinstance(json.loads(call.arguments), dict) for call in found)

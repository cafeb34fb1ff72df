"""Answers in the forms that models write, and in forms that must not count."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.gui.grounding.answer import MOST, Answer, answer_of, read

QWEN = '<tool_call>\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [12, 34.5]}}\n</tool_call>'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(12, 34)", (12, 34)),
        ("[12, 34]", (12, 34)),
        ("12, 34", (12, 34)),
        ("The button is at (0.25, 0.5).", (0.25, 0.5)),
        ("I see 3 buttons; the second one is at (12, 34).", (12, 34)),
        ("[1, 2, 30, 40]", (1, 2, 30, 40)),
        ("(1,2),(30,40)", (1, 2, 30, 40)),
        ("<|box_start|>(1,2),(30,40)<|box_end|>", (1, 2, 30, 40)),
        ("<|box_start|>(12,34)<|box_end|>", (12, 34)),
        ("pyautogui.click(x=12, y=34)", (12, 34)),
        ("pyautogui.click(12, 34)", (12, 34)),
        ("Thought: there.\nAction: click(start_box='(12,34)')", (12, 34)),
        ("Action: click(point='<point>12 34</point>')", (12, 34)),
        ("<click>12, 34</click>", (12, 34)),
        ("<box>1 2 30 40</box>", (1, 2, 30, 40)),
        ("<think>(1, 2)? No.</think><answer>(12, 34)</answer>", (12, 34)),
        ("(12, 34) it is: (12, 34)", (12, 34)),
        (QWEN, (12, 34.5)),
        ('```json\n[{"bbox_2d": [1, 2, 30, 40], "label": "OK 3"}]\n```', (1, 2, 30, 40)),
        ('[{"point_2d": [12, 34], "label": "OK"}]', (12, 34)),
        ('{"x": 12, "y": 34}', (12, 34)),
        ('{"name": "click", "arguments": {"x": 12, "y": 34}}', (12, 34)),
        ("not present", ()),
        ("It is not there.", ()),
    ],
)
def test_forms(text, place):
    assert read(text) == Answer(place)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I do not know.",
        "(1, 2) or (3, 4)",
        "<answer>(1, 2)</answer><answer>(3, 4)</answer>",
        QWEN + QWEN.replace("12", "13"),
        '[{"bbox_2d": [1, 2, 3, 4]}, {"bbox_2d": [5, 6, 7, 8]}]',
        "1 2 3",
        "(NaN, NaN)",
        "(1e999, 2)",
        "[30, 40, 1, 2]",
        "[1, 1, 1, 5]",
        "<think>(1, 2)</think>",
        '{"coordinate": [true, NaN]}',
        "[" * 3_000,
        "(1, 2)" + " " * MOST,
    ],
)
def test_what_is_no_answer(text):
    assert read(text) is None


@given(st.text(alphabet='0123456789.,-()[]{}" <>/eENaxy=click', max_size=300))
@settings(max_examples=150, deadline=None)
def test_anything_can_be_read(text):
    answer = read(text)
    assert answer is None or all(abs(each) < float("inf") for each in answer.place)


@given(st.tuples(*[st.integers(-5_000, 5_000)] * 2))
@settings(max_examples=50, deadline=None)
def test_points_are_what_was_written(point):
    assert read(f"({point[0]}, {point[1]})") == Answer(tuple(map(float, point)))
    assert read(json.dumps({"coordinate": list(point)})) == Answer(tuple(map(float, point)))


@pytest.mark.parametrize(
    "text", ["(1," * 6_000, "<think>" * 2_500, "((((1, 2" * 2_400, "<answer>" * 2_400, "1" * MOST, "-." * 9_000]
)
def test_reading_is_quick_whatever_comes(text):
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 2


def test_numbers_that_came_apart():
    assert answer_of([1, 2]) == Answer((1, 2))
    for bad in ([], [1], [1, 2, 3], ["a", 2], None, [float("nan"), 1], [10**400, 1], {"x": 1}):
        assert answer_of(bad) is None

"""Episodes of `gui/grounding-v0`: its modes and conventions, how they are paid, what cheats and bad input come to."""

import json
import math
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, ImageDraw

import agentgym
from agentgym.envs.gui.coordinates import resized
from agentgym.envs.gui.grounding import specs
from agentgym.envs.gui.grounding import tasks as grounding_tasks
from agentgym.envs.gui.grounding.cheats import CHEATS
from agentgym.envs.gui.grounding.specs import DEEPEYES, DEEPEYES_PAPER, GROUNDING
from agentgym.envs.gui.screens import generate as generating
from agentgym.errors import TaskError
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.testing import check_environment
from agentgym.trainers.shaping import shaper
from agentgym.types import Action, Blob, ToolCall

SIZE, BOXES = (1400, 900), ((100, 60, 180, 100), (700, 400, 712, 411), (1300, 800, 1390, 890))


@pytest.fixture
def spec(tmp_path):
    """The environment on three things on one large picture; the middle of the picture is in none of them."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    records = []
    for n, (left, top, right, bottom) in enumerate(BOXES):
        draw.rectangle((left, top, right - 1, bottom - 1), fill=(200, 40 * n, 0))
        box = [left, top, right, bottom]
        records.append(
            {"id": f"t{n}", "img_filename": "a.png", "bbox": box, "img_size": list(SIZE), "instruction": f"thing {n}",
             "ui_type": "icon" if n else "text", "platform": "web", "application": "x"}
        )  # fmt: skip
    picture.save(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(json.dumps(records))
    return GROUNDING.configure(file=str(tmp_path / "a.json"), images=str(tmp_path), budget=2_000_000)


def call(name, **given):
    return Action(calls=(ToolCall("c", name, json.dumps(given)),))


async def play(spec, *actions, task=0, rubric=None):
    """The first observation, the replies, and the record of an episode of these actions."""
    spec = replace(spec, rubric=rubric or spec.rubric)
    async with Runtime() as runtime:
        env = agentgym.make(spec, runtime=runtime)
        tasks = await runtime.tasks(spec).take("test", 3)
        first, _ = await env.reset(task=tasks[task])
        replies, ended = [], False
        for action in actions:
            observation, _, ended, _, info = await env.step(action)
            replies.append(observation.messages)
        await env.close()
    assert ended
    return first, replies, info.record


def blobs(messages):
    return [
        part
        for each in messages
        if not isinstance(each.content, str)
        for part in each.content
        if isinstance(part, Blob)
    ]


def size_of(blob):
    return Image.open(BytesIO(blob.data)).size


@pytest.mark.parametrize("mode", ["single", "zoom", "two_rounds"])
@pytest.mark.parametrize("coordinates", ["pixel", "resized", "thousand", "unit"])
@pytest.mark.parametrize("answers", ["first", "last"])
async def test_the_oracle_is_right_in_every_mode_and_convention(spec, mode, coordinates, answers):
    spec = spec.configure(mode=mode, coordinates=coordinates, answers=answers, budget=300_000)
    async with Runtime() as runtime:
        tasks = await runtime.tasks(spec).take("test", 3)
        done = [each async for each in collect(spec, spec.policies["oracle"](), tasks, runtime=runtime)]
    assert [each.success for each in done] == [1, 1, 1]
    assert {len(each.turns) for each in done} == {1 if mode == "single" else 2}


async def test_the_screenshot_is_shown_within_the_budget_and_crops_at_full_resolution(spec):
    spec = spec.configure(mode="zoom", budget=200_000)
    look = call("image_zoom_in_tool", bbox_2d=[278, 158, 286, 165])
    first, replies, record = await play(spec, look, Action("(281, 161)"), task=1)
    (shown,) = blobs(first.messages)
    wide, high = size_of(shown)
    assert wide * high <= 200_000 and f"{wide} x {high} pixels" in first.messages[0].text
    (part,) = blobs(replies[0])
    colours = {colour for _, colour in Image.open(BytesIO(part.data)).getcolors()}
    assert (200, 40, 0) in colours and (255, 255, 255) in colours  # nothing of it is blurred
    assert record.success == 1


async def test_what_a_model_that_resizes_is_told(spec):
    first, _, _ = await play(spec.configure(coordinates="resized"), Action("x"))
    wide, high = resized(SIZE)
    assert (wide, high) != SIZE and f"{wide} x {high} pixels" in first.messages[0].text


@pytest.mark.parametrize(
    ("action", "success"),
    [
        (Action("(140, 80)"), 1),
        (Action("(100, 60)"), 1),
        (Action("(180.0, 100)"), 1),
        (Action("(180.1, 100)"), 0),
        (Action("[100, 60, 180, 100]"), 1),
        (Action("no idea"), 0),
        (Action("pyautogui.click(140, 80)"), 1),
        (call("click", x=140, y=80), 1),
        (call("click", x="140", y=80), 1),
        (call("click", x="there", y=80), 0),
        (call("answer_box", bbox_2d=[90, 50, 190, 110]), 1),
        (call("answer_box", bbox_2d=[140]), 0),
        (call("not_present"), 0),
        (call("image_zoom_in_tool", bbox_2d=[90, 50, 190, 110]), 0),
        (Action(), 0),
    ],
)
async def test_one_message_is_the_answer(spec, action, success):
    _, _, record = await play(spec, action)
    assert record.success == success
    values = {each.name: each.value for each in record.channels}
    assert values["text"] == success and values["icon"] is None
    absent = bool(action.calls) and action.calls[0].name == "not_present"
    assert values["wrong_format"] == float(values["distance"] is None and not absent)


async def test_measures(spec):
    _, _, record = await play(spec, call("answer_box", bbox_2d=[100, 60, 140, 100]))
    values = {each.name: each.value for each in record.channels}
    assert values["area_ratio"] == 0.5
    assert values["distance"] == pytest.approx(20 / math.hypot(*SIZE))


RIGHT, WRONG = Action("(140, 80)"), Action("(5, 5)")
LOOK, BAD = call("image_zoom_in_tool", bbox_2d=[90, 50, 190, 110]), call("image_zoom_in_tool", bbox_2d=[9, 9, 9, 9])


@pytest.mark.parametrize(
    ("actions", "code", "paper"),
    [
        ([RIGHT], 0.8, 1.0),
        ([LOOK, RIGHT], 2.0, 2.0),
        ([WRONG], 0.0, 0.0),
        ([LOOK, WRONG], 0.0, 0.0),
        ([BAD, RIGHT], 0.6, 0.0),
        ([BAD, LOOK, RIGHT], 1.8, 1.0),
        ([LOOK, Action("no idea")], -0.2, -1.0),
        ([LOOK] * 5, -0.2, -1.0),
    ],
)
async def test_deepeyes_reward(spec, actions, code, paper):
    spec = spec.configure(mode="zoom", crops=4)
    for rubric, total in ((DEEPEYES, code), (DEEPEYES_PAPER, paper)):
        _, _, record = await play(spec, *actions, rubric=rubric)
        assert record.total == pytest.approx(total)
        assert record.success == float(actions[-1] is RIGHT)


async def test_deepeyes_calls_in_words(spec):
    text = '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [90, 50, 190, 110], "label": "x"}}</tool_call>'
    _, replies, record = await play(
        spec.configure(mode="zoom"), Action(f"<think>closer</think>{text}"), RIGHT, rubric=DEEPEYES
    )
    assert size_of(blobs(replies[0])[0]) == (100, 60)
    assert record.total == pytest.approx(2.0)


async def test_two_rounds_ask_for_a_region_and_then_for_the_answer(spec):
    spec = spec.configure(mode="two_rounds")
    first, replies, record = await play(spec, Action("[90, 50, 190, 110]"), RIGHT)
    assert first.tools is None or first.tools == ("image_zoom_in_tool",)
    assert len(blobs(replies[0])) == 1 and record.total == record.success == 1
    _, _, record = await play(
        spec, RIGHT, RIGHT
    )  # a point is no region: there is no crop, and the second round is the last
    assert record.success == 1 and {each.name: each.value for each in record.channels}["crops"] == 0
    _, _, record = await play(spec, call("click", x=140, y=80), WRONG)
    assert record.success == 0


async def test_an_answer_on_the_crop_is_an_answer_on_the_screenshot(spec):
    _, _, record = await play(spec.configure(mode="zoom", answers="last"), LOOK, Action("(50, 30)"))
    assert record.success == 1


async def test_votes_of_a_group_are_a_reward(spec):
    from agentgym.policy import Scripted

    said = ["(140, 80)", "(150, 85)", "(900, 500)", "no idea"]
    turn = iter(said)
    async with Runtime() as runtime:
        tasks = await runtime.tasks(spec).take("test", 1)
        policy = Scripted("said", lambda context: Action(next(turn)))
        done = [each async for each in collect(spec, policy, tasks, group_size=4, concurrency=1, runtime=runtime)]
    rewards = {each.answer: reward[-1] for each, reward in zip(done, shaper("gui_rcpo", least=20.0)(done), strict=True)}
    assert (
        rewards[None]
        == 0
        < rewards["[900.0, 500.0]"]
        < rewards["[150.0, 85.0]"]
        == pytest.approx(rewards["[140.0, 80.0]"])
    )


@pytest.mark.parametrize("mode", ["single", "zoom", "two_rounds"])
async def test_the_audit_passes(spec, mode):
    report = await check_environment(spec.configure(mode=mode))
    assert report.problems == [] and report.passed
    assert report.oracle.mean == 1 and report.cheat.max == 0 and len(CHEATS) >= 20


async def test_real_screens_are_played_with_things_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTGYM_CACHE", str(tmp_path))
    for module in (generating, grounding_tasks):
        monkeypatch.setattr(module, "SHARD", 10)
    spec = GROUNDING.configure(sources=("miniwob",), negatives=0.2, train=10)
    async with Runtime() as runtime:
        tasks = await runtime.tasks(spec).take("train", 20, seed=1)
        assert len(tasks) == 10 and sum(task.tags[0] == "negative" for task in tasks) == 2
        for name, mean in (("oracle", 1.0), ("noop", 0.0)):
            done = [each async for each in collect(spec, spec.policies[name](), tasks, runtime=runtime)]
            assert [each.success for each in done] == [mean] * 10
        with pytest.raises(TaskError):
            await runtime.tasks(spec).get("train-10")
        with pytest.raises(TaskError):
            await runtime.tasks(spec).get("nothing")


def test_every_rubric_takes_every_score():
    names = {channel.name for channel in specs.RUBRIC.channels}
    assert all({channel.name for channel in rubric.channels} == names for rubric in (DEEPEYES, DEEPEYES_PAPER))

"""Files of the ScreenSpot family: three ways of writing one box, its errors, the report, and an episode on each."""

import json

import pytest
from PIL import Image

from agentgym.envs.gui.grounding.policies import say
from agentgym.envs.gui.grounding.specs import GROUNDING
from agentgym.envs.gui.screenspot import Item, load, report, verdicts_of
from agentgym.errors import TaskError
from agentgym.policy import Scripted
from agentgym.rollout import collect
from agentgym.runtime import Runtime

BOX = (20, 30, 60, 50)
RECORDS = {
    "screenspot_mobile_v2.json": {"img_filename": "a.png", "bbox": [20, 30, 40, 20], "instruction": "ok", "data_type": "text", "data_source": "ios"},
    "pro.json": {
        "id": "vscode_1", "img_filename": "a.png", "bbox": [20, 30, 60, 50], "img_size": [200, 100], "instruction": "ok", "instruction_cn": "好",
        "application": "vscode", "platform": "macos", "group": "Dev", "ui_type": "icon",
    },
    "rcpo.jsonl": {"id": "r1", "image": "a.png", "instruction": "ok", "bbox": [0.1, 0.3, 0.3, 0.5], "data_type": "text", "data_source": "web", "image_size": [200, 100]},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (200, 100), "white").save(tmp_path / "a.png")
    return tmp_path


def written(folder, name, *records):
    lines = [json.dumps(each) for each in records]
    (folder / name).write_text("\n".join(lines) if name.endswith("l") else f"[{','.join(lines)}]")
    return folder / name


@pytest.mark.parametrize("name", RECORDS)
def test_three_ways_of_writing_one_box(folder, name):
    (item,) = load([written(folder, name, RECORDS[name])], folder)
    assert item.box == pytest.approx(BOX)
    assert (item.image, item.instruction, item.size(folder)) == ("a.png", "ok", (200, 100))


def test_platform_kind_and_id(folder):
    items = load([written(folder, name, record) for name, record in RECORDS.items()], folder)
    assert [(each.platform, each.kind, each.source) for each in items] == [
        ("mobile", "text", "ios"),
        ("macos", "icon", "vscode"),
        ("rcpo", "text", "web"),
    ]
    assert [each.id for each in items] == ["screenspot_mobile_v2-0", "vscode_1", "r1"]


PRO, FIRST, SHARES = (RECORDS[name] for name in ("pro.json", "screenspot_mobile_v2.json", "rcpo.jsonl"))


@pytest.mark.parametrize(
    ("name", "record", "said"),
    [
        ("a.json", {**FIRST, "img_filename": "b.png"}, "no picture"),
        ("a.json", {**FIRST, "img_filename": "../a.png"}, "leads out"),
        ("a.json", {**FIRST, "bbox": [20, 30, 0, 20]}, "no area"),
        ("a.json", {**FIRST, "bbox": [20, 30, 40]}, "four finite numbers"),
        ("a.json", {**FIRST, "bbox": [20, 30, 40, "x"]}, "four finite numbers"),
        ("a.json", {**FIRST, "bbox": [20, 30, 40, float("nan")]}, "four finite numbers"),
        ("a.json", {**FIRST, "bbox": None}, "four finite numbers"),
        ("a.json", {**FIRST, "bbox": [300, 30, 40, 20]}, "off the picture"),
        ("a.json", {**FIRST, "data_type": "picture"}, "not text or icon"),
        ("a.json", {key: value for key, value in FIRST.items() if key != "instruction"}, "has no 'instruction'"),
        ("a.json", {**PRO, "img_size": [100, 200]}, "the box would be off"),
        ("a.json", {**PRO, "bbox": [60, 30, 20, 50]}, "no area"),
        ("a.jsonl", {**SHARES, "bbox": [20, 30, 60, 50]}, "in shares"),
        ("a.json", [1], "is no object"),
    ],
)
def test_errors_say_what_and_where(folder, name, record, said):
    with pytest.raises(TaskError, match=said) as caught:
        load([written(folder, name, record)], folder)
    assert f"{name}, record 0" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\x00"])
def test_files_that_are_none(folder, text):
    (folder / "a.json").write_text(text)
    with pytest.raises(TaskError):
        load([folder / "a.json"], folder)
    with pytest.raises(TaskError):
        load([folder / "none.json"], folder)


def test_records_that_are_there_twice(folder):
    with pytest.raises(TaskError, match="two items"):
        load([written(folder, "a.json", PRO, PRO)], folder)


def test_a_picture_that_is_none(folder):
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(TaskError, match="is no picture"):
        load([written(folder, "a.json", FIRST)], folder)


def test_report():
    kinds = {
        "m1": ("mobile", "text"),
        "m2": ("mobile", "text"),
        "m3": ("mobile", "icon"),
        "w1": ("web", "text"),
        "w2": ("web", "icon"),
    }
    items = [Item(id, "", "", BOX, kind, platform, "") for id, (platform, kind) in kinds.items()]
    table = report(items, {"m1": "correct", "m2": "wrong", "m3": "correct", "w1": "correct", "w2": "wrong_format"})
    assert table["mobile"] == {"text": 0.5, "icon": 1.0, "all": pytest.approx(2 / 3), "n": 3}
    assert table["web"] == {"text": 1.0, "icon": 0.0, "all": 0.5, "n": 2}
    assert table["average"] == {"text": 0.75, "icon": 0.5, "all": 0.625}
    assert table["overall"]["all"] == 0.6 and table["overall"]["wrong_format"] == 0.2
    assert report(items, {})["overall"]["all"] == 0
    assert report([], {}) == {}


async def test_episodes_are_scored_by_screenspots_rule(folder):
    """Edges count, a box counts by its middle, what can not be read is wrong."""
    points = {"edge": "(20, 50)", "beside": "(19.9, 40)", "middle": "[0, 10, 80, 70]", "words": "somewhere"}
    records = [{**PRO, "id": id, "instruction": f"{id}: {said}"} for id, said in points.items()]
    file = written(folder, "a.json", *records)
    spec = GROUNDING.configure(file=str(file), images=str(folder), largest=1.0)

    def repeat(context):
        id = context.task.id
        return say(context, text=points[id])

    async with Runtime() as runtime:
        tasks = await runtime.tasks(spec).take("test", 10)
        done = [each async for each in collect(spec, Scripted("repeat", repeat), tasks, runtime=runtime)]
    assert verdicts_of(done) == {"edge": "correct", "beside": "wrong", "middle": "correct", "words": "wrong_format"}
    assert {each.key.task: each.answer for each in done}["edge"] == "[20.0, 50.0]"
    changed = Image.new("RGB", (200, 100), "black")
    changed.save(folder / "a.png")
    async with Runtime() as runtime:
        done = [each async for each in collect(spec, Scripted("repeat", repeat), tasks[:1], runtime=runtime)]
    assert done[0].status == "failed" and "is not the picture" in done[0].cause

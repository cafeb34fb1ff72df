"""The pointer on pictures drawn here: it reads, it sees things, it learns from reward with labels and without, it plays."""

from __future__ import annotations

import copy
import json
from io import BytesIO

import pytest
import torch
from PIL import Image, ImageDraw

from agentgym.envs.gui.learning.glyphs import Sight, _font
from agentgym.envs.gui.learning.pointer import BlindPointer, Pointer, PointerPolicy
from agentgym.envs.gui.learning.proposals import propose, spans_of, things, unseen
from agentgym.envs.gui.learning.training import Lesson, imitate, labelled, measure, reinforce, unlabelled
from agentgym.policy import Context
from agentgym.tasks import Task
from agentgym.types import Blob, Message, Observation, Text

WORDS = {"Orders": (40, 30), "Customers": (200, 90), "Sign out": (60, 160)}
SIZE = (390, 240)


def picture(dark: bool = False, size: int = 14) -> bytes:
    page = Image.new("RGB", SIZE, (20, 24, 40) if dark else (255, 255, 255))
    for words, at in WORDS.items():
        ImageDraw.Draw(page).text(at, words, font=_font(size, False), fill=(220, 220, 230) if dark else (30, 30, 30))
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def sight() -> Sight:
    return Sight(picture())


def near(point: tuple[float, float], words: str) -> bool:
    x, y = WORDS[words]
    return x <= point[0] <= x + 80 and y <= point[1] <= y + 20


@pytest.mark.slow
@pytest.mark.parametrize(("dark", "size"), [(False, 14), (True, 14), (False, 12), (True, 16)])
def test_words_are_found_where_they_are_written_dark_on_light_and_light_on_dark(dark, size):
    seen = Sight(picture(dark, size))
    for words in WORDS:
        best, *others = seen.find(words, 4)
        assert near((best.x, best.y), words) and best.score > 0.8
        assert all(each.score < best.score for each in others)


def test_what_stands_out_is_seen(sight):
    found = things(sight)
    assert all(any(near(point, words) for point in found) for words in WORDS)


@pytest.mark.parametrize(
    ("instruction", "spans"),
    [
        ("Click 'Sign out'.", ["Sign out"]),
        ("In the row “Ann's”, click “Edit”.", ["Ann's", "Edit"]),
        ("Klicke auf „Los“ (Link).", ["Los"]),
        ("Use the button labelled Sign out.", ["Sign out"]),
        ("Press go", ["go"]),
        ("", []),
    ],
)
def test_what_may_be_written_on_the_screen_is_taken_from_the_instruction(instruction, spans):
    assert spans_of(instruction) == spans


def lessons(sight: Sight) -> list[Lesson]:
    """Of each of three words; what is right of the two quoted is the last."""
    said = {words: f"Not 'Orders' but '{words}'." for words in WORDS if words != "Orders"}
    boxes = {words: [[x, y, x + 80.0, y + 20.0]] for words, (x, y) in WORDS.items()}
    return [Lesson(words, propose(sight, text), SIZE, boxes[words]) for words, text in said.items()]


def test_it_goes_where_it_reads_and_learns_which_words_are_meant(sight):
    given = lessons(sight)
    start = Pointer().eval()
    before, _ = measure(start, given)
    for reward in (labelled, "by example"):
        model = copy.deepcopy(start)
        imitate(model, given, 20, 0) if reward == "by example" else reinforce(model, given, reward, 20, 0)
        after, greedy = measure(model, given)
        assert sum(after) > sum(before) + 0.5
        assert sum(greedy) == len(given)


@pytest.mark.slow
def test_the_reward_without_labels_looks_at_none_and_makes_a_group_agree(sight):
    models, told = [Pointer().eval(), Pointer().eval()], [[], []]
    for model, boxes, heard in zip(models, ([[0.0, 0.0, 1.0, 1.0]], []), told, strict=True):
        given = [Lesson(each.id, each.proposals, SIZE, boxes) for each in lessons(sight)]
        reinforce(model, given, unlabelled, 30, 0, after=heard.append)
    assert told[0] == told[1]
    assert sum(told[0][-5:]) > sum(told[0][:5])
    assert torch.equal(models[0].always, models[1].always)


def test_training_is_the_same_from_the_same_seed_and_leaves_the_global_generator_alone(sight):
    made = []
    for _ in range(2):
        torch.manual_seed(len(made))
        state = torch.random.get_rng_state()
        model = BlindPointer(3)
        imitate(model, [Lesson(each.id, unseen(SIZE, "Press go"), SIZE, each.boxes) for each in lessons(sight)], 1, 5)
        assert torch.equal(state, torch.random.get_rng_state())
        made.append(model.layers[0].weight)
    assert torch.equal(*made)


async def test_as_a_policy_it_clicks_on_the_picture_that_it_was_shown():
    said = "This is a screenshot, 390 x 240 pixels. Places on it are pixels.\n\nClick 'Customers'.\n\nWhere is what is meant?"
    message = Message("user", (Blob("image/png", picture()), Text(said)))
    context = Context([message], [], Observation((message,)), Task("t", "gui/grounding-v0", {}))
    (action,) = await PointerPolicy(Pointer().eval()).act(context)
    given = json.loads(action.calls[0].arguments)
    assert action.calls[0].name == "click" and near((given["x"], given["y"]), "Customers")
    assert len(await PointerPolicy(Pointer().eval(), temperature=1.0).act(context, 5)) == 5

"""The operator on screens drawn here: what it sees, what it may do, and that it learns from reward, of single steps and of whole episodes."""

from __future__ import annotations

from io import BytesIO

import pytest
import torch
from PIL import Image, ImageDraw

from agentgym.envs.gui.learning.glyphs import _font
from agentgym.envs.gui.learning.moments import PHONE, Choice, seen, told, unseen
from agentgym.envs.gui.learning.operating import (
    Exercise,
    chosen,
    measure_steps,
    reinforce_episodes,
    reinforce_steps,
    worth,
)
from agentgym.envs.gui.learning.operator import BlindOperator, Operator, OperatorPolicy, said
from agentgym.envs.gui.learning.segments import segments
from agentgym.envs.gui.tasks.form import well_formed
from agentgym.envs.gui.tasks.steps import Step
from agentgym.policy import Context
from agentgym.tasks import Task
from agentgym.types import (
    Action,
    Blob,
    EpisodeKey,
    Info,
    Message,
    Observation,
    RewardRecord,
    Text,
    Trajectory,
    Turn,
)

GOAL = "Please set “Pointer size” to “Large” and bring “Brightness” to 40 %."
ROWS = ("Captions", "Pointer size", "Brightness")


def screen(rows: tuple[str, ...] = ROWS, title: str = "Display", number: str = "") -> bytes:
    page = Image.new("RGB", PHONE.size, (255, 255, 255))
    drawing = ImageDraw.Draw(page)
    drawing.text((64, 17), title, font=_font(19, True), fill=(20, 20, 20))
    for n, words in enumerate(rows):
        drawing.text((26, 80 + 53 * n), words, font=_font(16, False), fill=(20, 20, 20))
    if number:
        for x, text in ((230, "−"), (275, number), (340, "+")):
            drawing.text((x, 80 + 53 * (len(rows) - 1)), text, font=_font(16, False), fill=(20, 20, 20))
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def conversation(png: bytes, *acts: str, goal: str = GOAL) -> list[Message]:
    first = Message("user", (Text(f"{goal}\n\nYou operate a phone.\n\n"), Blob("image/png", screen(("Else",)))))
    said = [Message("assistant", f"<thinking>x</thinking>\n<action>{act}</action>") for act in acts]
    return [first, *said, Message("user", (Blob("image/png", png),))]


def read(choices: tuple[Choice, ...], why: str) -> set[str]:
    return {symbol for each in choices if each.step.why.startswith(why) for symbol in (*each.symbols, *each.looks)}


def test_a_screen_falls_into_rows_and_what_looks_the_same_has_the_same_token():
    up, down = segments(screen(("Captions", "Pointer size"))), segments(screen(("Pointer size", "Captions")))
    assert [each.band for each in up] == [0, 1, 2]
    assert up[1].token == down[2].token != up[2].token == down[1].token
    assert up[1].holds(40, 88) and not up[1].holds(40, 150)
    assert segments(screen((), "")) == []


def test_words_of_the_goal_are_found_and_what_was_done_about_them_is_remembered():
    before = seen(conversation(screen()))
    assert "read first wanted" in read(before.choices, "tap 'Pointer size'")
    assert {"in sight", "2 wanted"} <= set(before.symbols)
    assert before.wants == ("last nothing", "want Pointer size", "want Large", "want Brightness")
    after = seen(conversation(screen(("Small", "Large"), "Pointer size"), "tap 'Pointer size'"))
    assert "read first titled" in read(after.choices, "tap 'Large'")
    assert after.wants == ("last tap named", "want Large", "want Brightness")
    done = "Done so far:\n1. tap the link 'Display'\n2. tap the link 'Pointer size Medium'"
    assert told(conversation(screen(), goal=f"{GOAL}\n\n{done}")).named(0)


@pytest.mark.parametrize(("now", "way"), [("30 %", "more"), ("70 %", "less"), ("40 %", "equal")])
def test_numbers_are_read_and_compared(now, way):
    moment = seen(conversation(screen(number=now)))
    assert any(symbol.endswith(f" {way}") for each in moment.choices for symbol in each.looks) == (way != "equal")
    assert ("want Brightness" in moment.wants) == (way != "equal")
    assert all(("as '40 %' is reached" in each.step.why) == (way == "equal") for each in moment.choices)


def test_one_who_does_not_look_sees_nothing_of_the_picture():
    assert unseen(conversation(screen())) == unseen(conversation(screen(("Large",))))


def exercises(model: Operator) -> list[Exercise]:
    """On the first screen “Captions” leads to what is wanted, which nothing but the reward says; on the second, it is what fits."""
    places = (Step("tap", boxes=((20, 75, 360, 40),)), Step("tap", boxes=((20, 128, 360, 40),)))
    shown = (screen(("Captions", "Else")), screen(("Other", "Pointer size")))
    return [Exercise(str(n), model.scene(conversation(png)), places[n]) for n, png in enumerate(shown)]


def test_it_learns_from_single_steps_what_the_environment_pays_for():
    model, heard = Operator(), list[float]()
    given = exercises(model)
    before = measure_steps(model, given)
    reinforce_steps(model, given, 20, 0, after=heard.append)
    after = measure_steps(model, given)
    assert all(now > then + 0.5 for now, then in zip(after, before, strict=True))
    assert heard[0] < heard[-1] <= 2.0
    right = next(step for step in given[0].scene.steps if worth(given[0], step) == 2.0)
    assert right.at is not None and 75 <= right.at[1] <= 115


def episode(model: Operator, act: str, paid: float) -> Trajectory:
    messages = conversation(screen())
    step = next(each for each in model.scene(messages).steps if each.why.startswith(act))
    turns = [Turn(Observation(tuple(messages)), said(step, 0), paid, Info())]
    return Trajectory(
        EpisodeKey("run", "t", 0), "gui/tasks-v0", "", 0, "", turns, "scored", record=RewardRecord(paid, [paid], paid)
    )


def test_it_learns_from_whole_episodes_which_acts_were_paid():
    model = Operator()
    won, lost = episode(model, "tap 'Pointer size'", 1.0), episode(model, "go back", 0.0)
    optimiser = torch.optim.Adam(model.parameters(), 0.1)
    before = [chosen(model, each)[0].item() for each in (won, lost)]
    reinforce_episodes(model, optimiser, [[won, lost], [won, won]])
    after = [chosen(model, each)[0].item() for each in (won, lost)]
    assert after[0] > before[0] and after[1] < before[1]
    still = model.weights.clone()
    reinforce_episodes(model, optimiser, [[won, won]])
    assert torch.equal(still, model.weights)


@pytest.mark.parametrize("model", [Operator(), BlindOperator()], ids=["seeing", "blind"])
async def test_as_a_policy_it_acts_by_coordinates_in_the_form(model):
    messages = conversation(screen())
    context = Context(messages, [], Observation(tuple(messages)), Task("t", "gui/tasks-v0", {}))
    actions: list[Action] = await OperatorPolicy(model).act(context, 20)
    assert all(well_formed(each) and each.calls[0].name == "mobile_use" for each in actions)
    assert len({each.calls[0].arguments for each in actions}) > 5
    assert actions == await OperatorPolicy(model).act(context, 20)

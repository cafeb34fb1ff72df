"""Meanings: which of them fit one thing alone, whatever else is on the screen."""

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.gui.screens.candidates import Candidate, plain
from agentgym.envs.gui.screens.meaning import PURPOSES, Meaning, meanings_of, purpose_of, resolve
from agentgym.envs.gui.screens.variants import LANGUAGES
from agentgym.envs.gui.screens.wording import _phrases, instruction


def at(role, name, x, y, wide=60, high=20, **more):
    return Candidate(role, name, (x, y, x + wide, y + high), **more)


def hows(target, screen):
    return {each.how for each in meanings_of(target, screen)}


SAVE, CANCEL = at("button", "Save", 10, 10), at("button", "Cancel", 100, 10)


def test_a_name_of_its_own_is_enough():
    assert {"name", "role"} <= hows(0, [SAVE, CANCEL])


def test_a_second_one_of_that_name_takes_it_away_whatever_keeps_it_from_being_asked_for():
    hidden = at("button", "save:", 10, 200, trouble="covered")
    assert not {"name", "role", "nth_named"} & hows(0, [SAVE, CANCEL, hidden])


def test_nobody_sees_whether_it_is_a_link_drawn_as_a_button():
    assert "role" not in hows(0, [SAVE, at("link", "Save", 10, 80)])
    assert "role" in hows(0, [SAVE, at("text", "Save", 10, 80)])


def test_within():
    row = (("row", "Airi"), ("navigation", ""))
    screen = [
        at("link", "Edit", 10, 10, groups=row),
        at("link", "Edit", 10, 60, groups=(("row", "Bo"), ("navigation", ""))),
    ]
    assert [each.group for each in meanings_of(0, screen) if each.how == "within"] == [("row", "Airi")]


def test_counting_needs_a_plain_row_or_column():
    column = [at("checkbox", "", 10, y) for y in (10, 40, 70)]
    found = [each for each in meanings_of(1, column) if each.how == "nth"]
    assert [(each.axis, each.number, each.of) for each in found] == [("y", 2, 3)]
    assert "nth" not in hows(1, [*column, at("checkbox", "", 200, 25)])
    assert "nth" not in hows(1, [*column, at("checkbox", "", 10, 100, trouble="cut off")])
    assert "nth" not in hows(1, [at("button", "", 10, y) for y in (10, 40, 70)])


def test_beside():
    label = at("text", "Amount", 10, 10)
    near, far = at("textbox", "", 80, 10), at("textbox", "", 200, 10)
    found = [each for each in meanings_of(1, [label, near, far]) if each.how == "beside"]
    assert [(each.side, each.anchor) for each in found] == [("right", "amount")]
    assert "beside" not in hows(2, [label, near, far])
    assert "beside" not in hows(1, [label, replace(label, box=(10, 300, 70, 320)), near])
    assert "beside" not in hows(1, [label, near, at("spinbutton", "", 82, 14)])


def test_purposes():
    assert purpose_of(at("textbox", "anything", 0, 0, field="password")) == "password"
    assert purpose_of(at("searchbox", "Search the shop", 0, 0)) == "search"
    assert purpose_of(at("text", "Settings", 0, 0)) == ""
    assert purpose_of(at("icon", "Close", 0, 0)) == "close"


names = st.sampled_from(["Save", "save ", "Edit", "", "Search", "Close", "Amount:"])
things = st.builds(
    at,
    st.sampled_from(["button", "link", "icon", "textbox", "checkbox", "text", "combobox"]),
    names,
    st.sampled_from([0, 100, 200]),
    st.sampled_from([0, 30, 60, 90]),
    groups=st.sampled_from([(), (("row", "A"),), (("section", "B"), ("navigation", ""))]),
    trouble=st.sampled_from(["", "", "", "covered"]),
)


@given(st.lists(things, min_size=1, max_size=9), st.data())
@settings(max_examples=150, deadline=None)
def test_every_meaning_fits_one_thing_whatever_order_they_are_told_in(screen, data):
    target = data.draw(st.integers(0, len(screen) - 1))
    order = data.draw(st.permutations(range(len(screen))))
    turned = [screen[i] for i in order]
    for meaning in meanings_of(target, screen):
        assert resolve(meaning, screen) == [target]
        assert [order[i] for i in resolve(meaning, turned)] == [target]


def test_names_are_compared_as_people_do():
    assert plain("  E-Mail\n address: * ") == plain("e-mail address")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("held_out", [False, True])
def test_every_meaning_can_be_said_in_every_language(language, held_out):
    meanings = [
        Meaning("name", "save"), Meaning("role", "save", "button"), Meaning("nth", role="checkbox", axis="y", number=2, of=3),
        Meaning("nth_named", "save", "link", axis="x", number=2, of=3), Meaning("beside", role="textbox", side="below", anchor="amount"),
        *(Meaning("within", "save", "icon", (kind, "Airi")) for kind in _phrases()["en"]["groups"]),
        *(Meaning("purpose", purpose=each) for each in PURPOSES),
    ]  # fmt: skip
    for meaning in meanings:
        for seed in range(5):
            said = instruction(meaning, "Save", "Amount", language, held_out, Random(seed))
            assert said and not re.search(r"[{}]", said)
            assert meaning.how in ("purpose", "nth") or "Save" in said or "Amount" in said


def test_words_of_the_test_split_are_its_own():
    for words in _phrases().values():
        for how, phrases in words["how"].items():
            assert not set(phrases) & set(words["held_out"][how])
        for purpose, phrases in words["purpose_held_out"].items():
            assert not set(phrases) & set(words["purpose"][purpose])
        assert words["roles"].keys() == _phrases()["en"]["roles"].keys()
        assert words["groups"].keys() == _phrases()["en"]["groups"].keys()

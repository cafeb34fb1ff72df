"""Samples of a screen that is given: what is asked for and how depends on the seed alone, and is what it was."""

from dataclasses import asdict, replace
from random import Random

from agentgym.envs.gui.screens.candidates import Candidate
from agentgym.envs.gui.screens.capture import Screen
from agentgym.envs.gui.screens.samples import PER_SCREEN, negatives, samples_of
from agentgym.envs.gui.screens.sources import Page
from agentgym.envs.gui.screens.variants import Variant
from agentgym.seeds import content_hash

GOLDEN = "bfeda61d07540b18a1546fe82dd6ece7fd40b1cf98897d1dc1b2592c0a9b0f49"
"""Where this changes, samples change: bump the environment's version."""


def screen(prefix="", language="en", scale=1.0):
    """A column of links, twins in a row, a form, icons."""
    made = [Candidate("link", f"{prefix}Item {n}", (10, 30 * n, 110, 30 * n + 20)) for n in range(8)]
    made += [
        Candidate("button", "Edit", (200 + 100 * n, 50, 260 + 100 * n, 70), groups=(("row", f"{prefix}Row"),))
        for n in range(2)
    ]
    made += [Candidate("text", "Amount", (200, 100, 260, 120)), Candidate("spinbutton", "", (280, 100, 340, 120))]
    made += [
        Candidate("icon", f"{prefix}close", (500, 10, 520, 30)),
        Candidate("icon", "hidden", (530, 10, 550, 30), trouble="covered"),
    ]
    made += [Candidate("checkbox", "Agree", (200, 200, 216, 216), also=((220, 200, 300, 216),))]
    return Screen(
        Page("test", "/"), Variant(600, 400, scale, False, language, 0), b"png" + prefix.encode(), tuple(made)
    )


def test_golden():
    made = [
        asdict(each)
        for language in ("en", "de", "ar")
        for each in samples_of(screen(language=language), "s", "train", Random(7))
    ]
    made += [asdict(each) for each in samples_of(screen(scale=1.5), "s", "test", Random(7))]
    assert content_hash(made) == GOLDEN


def test_samples_are_of_different_things_that_may_be_asked_for():
    made = samples_of(screen(), "s", "train", Random(1))
    assert 8 <= len(made) <= PER_SCREEN and len({each.box for each in made}) == len(made)
    assert "hidden" not in {each.name for each in made}
    assert [each.id for each in made] == [f"s-{n}" for n in range(len(made))]


def test_icons_are_asked_for_more_often_than_their_share():
    asked = [each.kind for seed in range(200) for each in samples_of(screen(), "s", "train", Random(seed))[:1]]
    assert asked.count("icon") / 200 > 0.15  # one thing of thirteen


def test_boxes_are_pixels_of_the_picture():
    drawn = (each for seed in range(20) for each in samples_of(screen(scale=2.0), "s", "train", Random(seed)))
    it = next(each for each in drawn if each.role == "checkbox")
    assert it.size == (1200, 800) and it.box == (400, 400, 432, 432) and it.boxes[1] == (440, 400, 600, 432)


def test_negatives_are_not_there():
    words = {
        "link": "Entry",
        "text": "Sum",
        "button": "Change",
        "icon": "bell",
        "checkbox": "Yes",
        "spinbutton": "Count",
    }
    other = tuple(replace(each, name=f"{words[each.role]}{n}") for n, each in enumerate(screen().candidates))
    screens = [screen(), replace(screen("Other "), candidates=other)]
    samples = [each for n, one in enumerate(screens) for each in samples_of(one, f"s{n}", "train", Random(n))]
    made = negatives(screens, samples, "n", 4, Random(0))
    assert made and all(each.box is None and each.kind == "negative" and each.boxes == () for each in made)
    for each in made:
        where = screens[each.image == samples_of(screens[1], "x", "train", Random(0))[0].image]
        assert not any(set(each.name.casefold().split()) & set(one.plain.split()) for one in where.candidates)

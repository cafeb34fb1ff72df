"""What is shown of a picture, and that places on it are places on the whole."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agentgym.envs.gui.coordinates import from_pixels
from agentgym.envs.gui.grounding.pictures import LEAST, Shown, crop, size_of, whole
from agentgym.errors import TaskError, ToolError


def png(wide=400, high=300):
    """Each pixel says where it is."""
    picture = Image.new("RGB", (wide, high))
    picture.putdata([(x % 256, y % 256, (x // 256) * 16 + y // 256) for y in range(high) for x in range(wide)])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


PNG = png()


def test_within_the_budget_a_picture_is_shown_as_it_is():
    assert whole(PNG, 400 * 300) == Shown(PNG, (0, 0, 400, 300), (400, 300))


def test_beyond_it_is_made_smaller():
    shown = whole(PNG, 10_000)
    assert shown.size == (115, 86) and size_of(shown.png) == shown.size
    assert shown.place((115, 86), "pixel") == pytest.approx((400, 300))
    assert shown.place((500, 500), "thousand") == pytest.approx((200, 150))


def test_a_crop_is_the_pixels_of_the_screenshot_at_full_resolution():
    part = crop(PNG, (100, 50, 200, 120), 400 * 300)
    assert part.box == (100, 50, 200, 120) and part.size == (100, 70)
    assert Image.open(io.BytesIO(part.png)).getpixel((3, 4)) == (103, 54, 0)
    assert part.place((3, 4), "pixel") == (103, 54)
    assert part.place((0.5, 0.5, 1, 1), "unit") == (150, 85, 200, 120)


@given(st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.floats(-50, 450), st.floats(-50, 350)))
@settings(max_examples=60, deadline=None)
def test_crops_are_large_enough_on_the_screen_and_hold_what_was_asked_for(box):
    try:
        part = crop(PNG, box, 400 * 300)
    except ToolError:
        return
    left, top, right, bottom = part.box
    assert left >= 0 and top >= 0 and right <= 400 and bottom <= 300
    assert right - left >= LEAST and bottom - top >= LEAST
    assert left <= max(0, box[0]) + 1e-6 and right >= min(400, box[2]) - 1e-6
    assert size_of(part.png) == part.size
    assert part.place((0, 0, 1, 1), "unit") == pytest.approx(part.box)


@given(st.integers(0, 399), st.integers(0, 299), st.sampled_from(["pixel", "thousand", "unit", "resized"]))
@settings(max_examples=60, deadline=None)
def test_there_and_back(x, y, convention):
    shown = whole(PNG, 400 * 300)
    there = from_pixels(x, y, shown.size, convention)
    assert shown.place(there, convention) == pytest.approx((x, y), abs=1)
    part = crop(PNG, (10, 10, 300, 200), 400 * 300)
    said = part.said((50, 60, 70, 90), convention)
    assert part.place(tuple(said), convention) == pytest.approx((50, 60, 70, 90), abs=0.1)


@pytest.mark.parametrize(
    "box",
    [
        (10, 10, 10, 50),
        (50, 50, 10, 10),
        (500, 10, 600, 50),
        (float("nan"),) * 4,
        (0, 0, float("inf"), 5),
        (0, 0, 400, 1),
    ],
)
def test_boxes_that_are_none(box):
    with pytest.raises(ToolError):
        crop(PNG, box, 10_000)


def test_what_is_no_picture():
    for data in (b"", b"nothing", PNG[:40]):
        with pytest.raises(TaskError):
            whole(data, 1_000)


def test_a_huge_picture_is_refused_before_it_is_opened():
    head = bytearray(PNG)
    head[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(TaskError):
        size_of(bytes(head))

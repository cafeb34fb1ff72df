"""Coordinates: there and back in each convention, and the size that models of Qwen2-VL's kind see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.gui.coordinates import MAX_PIXELS, SAID, extent, from_pixels, resized, to_pixels

sides = st.integers(30, 4_000)


@given(sides, sides, st.floats(0, 0.999), st.floats(0, 0.999), st.sampled_from(sorted(SAID)))
def test_a_point_comes_back_within_half_a_unit(wide, high, right, down, convention):
    x, y = wide * right, high * down
    said = from_pixels(x, y, (wide, high), convention)
    back = to_pixels(*said, (wide, high), convention)
    unit = 1e-4 if convention == "unit" else 1.0
    across, along = (unit * side / of for side, of in zip((wide, high), extent((wide, high), convention), strict=True))
    assert abs(back[0] - x) <= across and abs(back[1] - y) <= along
    assert 0 <= back[0] < wide + 1e-9 and 0 <= back[1] < high + 1e-9


@given(sides, sides)
def test_the_resized_picture_has_sides_of_28_and_an_area_within_bounds(wide, high):
    to = resized((wide, high))
    assert to[0] % 28 == to[1] % 28 == 0
    assert to[0] * to[1] <= MAX_PIXELS


@pytest.mark.parametrize(
    ("size", "seen"), [((1288, 728), (1288, 728)), ((1920, 1080), (1316, 728)), ((392, 784), (392, 784))]
)
def test_known_sizes(size, seen):
    assert resized(size) == seen

"""Coordinates: how a model says where on a screenshot something is, as pixels of that screenshot and back. Pure.

Families of models differ: pixels of the picture as it was sent, pixels of the picture as the model's own preprocessing
resized it (Qwen2.5-VL), thousandths of its sides (Qwen2-VL, Qwen3-VL, UI-TARS), or shares of them.
"""

from __future__ import annotations

import math
from typing import Literal

Coordinates = Literal["pixel", "resized", "thousand", "unit"]
Size = tuple[int, int]
FACTOR, MIN_PIXELS, MAX_PIXELS = 28, 56 * 56, 14 * 14 * 4 * 1280
"""Of Qwen2-VL's and Qwen2.5-VL's image processor: sides are multiples of FACTOR, the area is between the other two."""

SAID: dict[Coordinates, str] = {
    "pixel": "pixels of the screenshot from its top left corner",
    "resized": "pixels of the screenshot from its top left corner",
    "thousand": "thousandths of the screenshot's width and height, 0 to 1000, from its top left corner",
    "unit": "shares of the screenshot's width and height, 0 to 1, from its top left corner",
}


def to_pixels(x: float, y: float, size: Size, convention: Coordinates = "pixel") -> tuple[float, float]:
    """A point as a model of that convention says it, in pixels of a picture of `size` (width, height). NaN stays NaN."""
    wide, high = extent(size, convention)
    return x * size[0] / wide, y * size[1] / high


def from_pixels(x: float, y: float, size: Size, convention: Coordinates = "pixel") -> tuple[float, float]:
    """The other way round; whole numbers where the convention has them, kept inside of the picture."""
    wide, high = extent(size, convention)
    there = (x * wide / size[0], y * high / size[1])
    if convention == "unit":
        return round(there[0], 4), round(there[1], 4)
    return min(round(there[0]), math.ceil(wide) - 1), min(round(there[1]), math.ceil(high) - 1)


def extent(size: Size, convention: Coordinates) -> tuple[float, float]:
    """What the convention gives the picture's right and lower edge."""
    match convention:
        case "unit":
            return 1.0, 1.0
        case "thousand":
            return 1000.0, 1000.0
        case "resized":
            return resized(size)
        case "pixel":
            return size


def resized(size: Size) -> Size:
    """The size at which a model of Qwen2-VL's kind sees a picture: its `smart_resize`."""
    wide, high = size
    to = (max(FACTOR, round(wide / FACTOR) * FACTOR), max(FACTOR, round(high / FACTOR) * FACTOR))
    if to[0] * to[1] > MAX_PIXELS:
        shrink = math.sqrt(wide * high / MAX_PIXELS)
        return _down(wide / shrink), _down(high / shrink)
    if to[0] * to[1] < MIN_PIXELS:
        grow = math.sqrt(MIN_PIXELS / (wide * high))
        return math.ceil(wide * grow / FACTOR) * FACTOR, math.ceil(high * grow / FACTOR) * FACTOR
    return to


def _down(length: float) -> int:
    return max(FACTOR, math.floor(length / FACTOR) * FACTOR)

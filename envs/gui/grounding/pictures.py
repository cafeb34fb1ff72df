"""Pictures: what is shown of a screenshot, within a budget of pixels, and how places on it become places on the whole. Pure."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from agentgym.envs.gui.coordinates import Coordinates, Size, extent, to_pixels
from agentgym.errors import TaskError, ToolError

LEAST = 28
"""A crop's sides are at least so long, in pixels: a patch of Qwen2-VL's, and what DeepEyes widens crops to."""
MOST_RATIO = 100
"""Of a crop's longer side to its shorter one; DeepEyes refuses more."""
MOST_PIXELS = 64_000_000
"""Of a screenshot that is opened at all (an 8K screen has 33 million)."""
Box = tuple[float, float, float, float]


@dataclass(slots=True, frozen=True)
class Shown:
    """A picture that was shown: `box` of the whole screenshot (its pixels), at `size` (width, height)."""

    png: bytes
    box: Box
    size: Size

    def place(self, numbers: tuple[float, ...], convention: Coordinates) -> tuple[float, ...]:
        """A point or a box on this picture, as a model says it, in pixels of the whole screenshot."""
        out: list[float] = []
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            across, down = to_pixels(x, y, self.size, convention)
            left, top, right, bottom = self.box
            out += [left + across * (right - left) / self.size[0], top + down * (bottom - top) / self.size[1]]
        return tuple(out)

    def said(self, box: Box, convention: Coordinates) -> list[float]:
        """The other way round: a box of the screenshot as one would say it on this picture."""
        wide, high = extent(self.size, convention)
        left, top, right, bottom = self.box
        places = 4 if convention == "unit" else 2
        scales = (wide / (right - left), high / (bottom - top)) * 2
        starts = (left, top) * 2
        return [round((each - start) * scale, places) for each, start, scale in zip(box, starts, scales, strict=True)]


@lru_cache(maxsize=16)  # the episodes of a group begin with the same one
def whole(png: bytes, budget: int) -> Shown:
    """All of a screenshot, made smaller if it has more pixels than `budget`. Raises TaskError if it is no picture."""
    size = size_of(png)
    return _shown(png, (0, 0, *size), budget)


def crop(png: bytes, box: Box, budget: int) -> Shown:
    """A part of a screenshot at full resolution: `box` cut to the screen and widened to LEAST. Raises ToolError for none."""
    wide, high = size_of(png)
    if not all(math.isfinite(each) for each in box):
        raise ToolError("the box has to have four finite numbers")
    left, top, right, bottom = max(0.0, box[0]), max(0.0, box[1]), min(float(wide), box[2]), min(float(high), box[3])
    if left >= right or top >= bottom:
        raise ToolError(
            f"the box {_said(box)} has no area on the picture, which is {wide} x {high}: give x1 < x2 and y1 < y2"
        )
    if max(right - left, bottom - top) / min(right - left, bottom - top) > MOST_RATIO:
        raise ToolError(f"the box {_said(box)} is too thin: one side is over {MOST_RATIO} times the other")
    left, right = _widened(left, right, wide)
    top, bottom = _widened(top, bottom, high)
    return _shown(png, (left, top, right, bottom), budget)


def size_of(png: bytes) -> Size:
    """Width and height, without decoding. Raises TaskError for what is no picture or too large to open."""
    try:
        with Image.open(io.BytesIO(png)) as image:
            size = image.size
    except Exception as error:  # Pillow raises many kinds
        raise TaskError(f"a screenshot can not be read as a picture: {error}") from None
    if size[0] * size[1] > MOST_PIXELS:
        raise TaskError(f"a screenshot is {size[0]} x {size[1]}: more than {MOST_PIXELS} pixels are not opened")
    return size


def _widened(low: float, high: float, end: int) -> tuple[int, int]:
    """To whole pixels, and about the middle to at least LEAST, as far as there is room."""
    first, last = math.floor(low), math.ceil(high)
    if last - first < LEAST:
        first = max(0, min(round((low + high - LEAST) / 2), end - LEAST))
        last = min(end, first + LEAST)
    return first, last


def _shown(png: bytes, box: tuple[int, int, int, int], budget: int) -> Shown:
    wide, high = box[2] - box[0], box[3] - box[1]
    shrink = min(1.0, math.sqrt(budget / (wide * high)))
    size = (max(1, math.floor(wide * shrink)), max(1, math.floor(high * shrink)))
    if box[:2] == (0, 0) and size == size_of(png):
        return Shown(png, box, size)
    try:
        with Image.open(io.BytesIO(png)) as image:
            part = image.convert("RGB").crop(box)
    except Exception as error:
        raise TaskError(f"a screenshot can not be read as a picture: {error}") from None
    if size != part.size:
        part = part.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    part.save(out, "PNG")
    return Shown(out.getvalue(), box, size)


def _said(box: Box) -> str:
    return f"[{', '.join(f'{each:.6g}' for each in box)}]"

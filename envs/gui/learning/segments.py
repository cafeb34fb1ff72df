"""Segments: the pieces of ink that a screenshot of rows falls into, and by what each can be known again. No word is read here.

An XY-cut: blank lines part the picture into bands, and wide gaps part a band into segments. Screens of this project's browser show the
same thing with the same pixels, so that the hash of a segment's pixels is a word for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import pairwise

import torch
from PIL import Image
from torch import Tensor

_INK, _THIN = 16, 4
"""Grey levels from one pixel to the next that are ink; how thin a band or a segment is none."""
_GAP, _FRAMES, _FRAME_GAP = 10, 30, 6
"""How wide a gap parts two segments; from what height on a band holds frames, which stand closer than words of large print do."""


@dataclass(slots=True, frozen=True)
class Segment:
    """box: left, top, right, bottom, in pixels of the screenshot. band: the how manyth row it is in. token: how it looks."""

    box: tuple[int, int, int, int]
    band: int
    token: str

    @property
    def middle(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    def holds(self, x: float, y: float) -> bool:
        left, top, right, bottom = self.box
        return left <= x <= right and top <= y <= bottom


def segments(png: bytes) -> list[Segment]:
    """From the top, and in a band from the left."""
    with Image.open(BytesIO(png)) as opened:
        picture = opened.convert("L")
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(picture.height, picture.width)
    ink = _edges(pixels)
    found: list[Segment] = []
    for band, (top, bottom) in enumerate(_runs(ink.any(1), 1)):
        gap = _GAP if bottom - top < _FRAMES else _FRAME_GAP
        for left, right in _runs(ink[top:bottom].any(0), gap):
            lines = ink[top:bottom, left:right].any(1).nonzero()
            box = (left, top + int(lines[0]), right, top + int(lines[-1]) + 1)
            found.append(Segment(box, band, _token(pixels, box)))
    return found


def _edges(pixels: Tensor) -> Tensor:
    """Where a pixel is unlike the one to its left or the one above it."""
    grey, ink = pixels.int(), torch.zeros_like(pixels, dtype=torch.bool)
    ink[:, 1:] |= (grey[:, 1:] - grey[:, :-1]).abs() > _INK
    ink[1:] |= (grey[1:] - grey[:-1]).abs() > _INK
    return ink


def _runs(marks: Tensor, gap: int) -> list[tuple[int, int]]:
    """Where marks stand together, with no gap as wide as `gap` between them; thin ones are left out."""
    at = marks.nonzero().flatten().tolist()
    if not at:
        return []
    cuts = [(a, b) for a, b in pairwise(at) if b - a > gap]
    starts, ends = [at[0], *(b for _, b in cuts)], [*(a for a, _ in cuts), at[-1]]
    return [(start, end + 1) for start, end in zip(starts, ends, strict=True) if end - start >= _THIN]


def _token(pixels: Tensor, box: tuple[int, int, int, int]) -> str:
    left, top, right, bottom = box
    crop = pixels[top:bottom, left:right].contiguous()
    return sha256(repr(tuple(crop.shape)).encode() + bytes(crop.flatten().tolist())).hexdigest()[:8]

"""Finding written words on a picture: the words are drawn in a browser's usual font, and the drawing is looked for everywhere.

Normalised cross-correlation of local contrast, which is the same for dark on light and light on dark. Nothing is learned here, and
nothing is known but the picture and the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

FONTS = ((10, False), (12, False), (14, False), (16, False), (18, False), (13, True), (16, True), (20, True))
"""Sizes, in pixels of the canonical picture, and weights that are looked for at half its resolution; the neighbouring sizes are tried closer."""
_AROUND, _BLOCK, _LONGEST = 15, 8, 60
_CLOSER, _MARGIN = 20, 4
"""How many places are looked at again at full resolution, and how far around each."""


@dataclass(slots=True, frozen=True)
class Match:
    """Where the middle of the words would be, in canonical pixels, how wide they are, and how well they fit (at most 1)."""

    x: float
    y: float
    width: float
    size: int
    bold: bool
    score: float


class _Halves:
    """What a search of the whole picture, at half its resolution, needs for every template."""

    def __init__(self, half: Tensor) -> None:
        self.size = (half.shape[0], half.shape[1])
        self.shape = (_fast(half.shape[0]), _fast(half.shape[1]))
        self.spectrum = torch.fft.rfft2(half, s=self.shape)
        mean = float(half.mean())
        self.sums = (_integral(half - mean), _integral((half - mean) ** 2))


class Sight:
    """A picture made ready to be searched. Canonical: phones 390 pixels wide, upright screens 768, others at most 1280.

    `grey` and `contrast`: (height, width) in [0, 1]. `scale`: canonical pixels to one of the picture.
    """

    def __init__(self, png: bytes) -> None:
        with Image.open(BytesIO(png)) as opened:
            picture = opened.convert("L")
        wide, high = picture.size
        limit = 390 if wide / high < 0.62 else 768 if wide < high else 1280
        self.scale = min(1.0, limit / wide)
        self.size = (max(64, round(wide * self.scale)), max(64, round(high * self.scale)))
        if self.size != picture.size:
            picture = picture.resize(self.size, Image.Resampling.BOX)
        self.grey = _tensor(picture)
        self.contrast = contrast(self.grey)

    @cached_property
    def _halves(self) -> _Halves:
        return _Halves(_halved(self.contrast))

    def find(self, words: str, most: int) -> list[Match]:
        """The `most` best places for `words`, best first, no two near each other."""
        words = words[:_LONGEST]
        rough = [match for font in FONTS for match in self._roughly(words, *font)]
        closer = [self._closely(words, match) for match in sorted(rough, key=_score)[:_CLOSER]]
        kept: list[Match] = []
        for match in sorted(closer, key=_score):
            if all(abs(match.x - each.x) > match.width / 2 + 4 or abs(match.y - each.y) > 10 for each in kept):
                kept.append(match)
        return kept[:most]

    def fit(self, words: str, x: float, y: float, size: int, bold: bool = False) -> float:
        """How well `words`, drawn in about that size, fit around a point, in canonical pixels."""
        return self._closely(words, Match(x, y, 0.0, size, bold, 0.0)).score

    def _roughly(self, words: str, size: int, bold: bool) -> list[Match]:
        """The best places of one drawing, at half resolution."""
        template, half = _halved(drawn(words, size, bold)), self._halves
        high, wide = template.shape
        if high >= half.size[0] or wide >= half.size[1]:
            return []
        template = template - template.mean()
        products = torch.fft.irfft2(half.spectrum * torch.fft.rfft2(template, s=half.shape).conj(), s=half.shape)
        products = products[: half.size[0] - high + 1, : half.size[1] - wide + 1]
        total, squares = (_windows(each, high, wide) for each in half.sums)
        scores = products / ((squares - total * total / (high * wide)).clamp_min_(1e-3).sqrt_() * template.norm() + 0.3)
        best, at = torch.nn.functional.max_pool2d(scores[None, None], _BLOCK, ceil_mode=True, return_indices=True)
        values, order = best.flatten().topk(min(_CLOSER, best.numel()))
        places = [divmod(int(at.flatten()[n]), scores.shape[1]) for n in order]
        return [
            Match(2 * column + wide, 2 * line + high, 2.0 * wide, size, bold, float(value))
            for (line, column), value in zip(places, values, strict=True)
        ]

    def _closely(self, words: str, match: Match) -> Match:
        """The same place at full resolution, with the size that fits best."""
        return min((self._at(words, match, size) for size in (match.size - 1, match.size, match.size + 1)), key=_score)

    def _at(self, words: str, match: Match, size: int) -> Match:
        template = drawn(words, size, match.bold)
        high, wide = template.shape
        left, top = round(match.x - wide / 2) - _MARGIN, round(match.y - high / 2) - _MARGIN
        left, top = max(left, 0), max(top, 0)
        region = self.contrast[top : top + high + 2 * _MARGIN, left : left + wide + 2 * _MARGIN]
        if region.shape[0] < high or region.shape[1] < wide:
            return Match(match.x, match.y, float(wide), size, match.bold, -1.0)
        template = template - template.mean()
        products = torch.nn.functional.conv2d(region[None, None], template[None, None])[0, 0]
        total, squares = (_windows(_integral(each), high, wide) for each in (region, region**2))
        scores = products / ((squares - total * total / (high * wide)).clamp_min(1e-3).sqrt() * template.norm() + 0.3)
        line, column = divmod(int(scores.argmax()), scores.shape[1])
        return Match(
            left + column + wide / 2, top + line + high / 2, float(wide), size, match.bold, float(scores.max())
        )


def _score(match: Match) -> float:
    return -match.score


def _halved(values: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(values[None, None], 2, ceil_mode=True)[0, 0]


@lru_cache(maxsize=4_096)
def drawn(words: str, size: int, bold: bool) -> Tensor:
    """The contrast of `words` as a browser would write them."""
    font = _font(size, bold)
    left, top, right, bottom = (round(each) for each in font.getbbox(words))
    picture = Image.new("L", (max(right - left, 2) + 4, max(bottom - top, 2) + 4), 255)
    ImageDraw.Draw(picture).text((2 - left, 2 - top), words, font=font, fill=0)
    return contrast(_tensor(picture))


def contrast(grey: Tensor) -> Tensor:
    """How far each pixel is from the mean around it."""
    around = grey[None, None]
    for size, edge in (
        ((_AROUND, 1), (_AROUND // 2, 0)),
        ((1, _AROUND), (0, _AROUND // 2)),
    ):  # one way, then the other: less work
        around = torch.nn.functional.avg_pool2d(around, size, 1, edge, count_include_pad=False)
    return (grey - around[0, 0]).abs()


@lru_cache(maxsize=64)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which Debian's Chromium falls back to; matplotlib brings it along."""
    import matplotlib

    name = f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def _tensor(picture: Image.Image) -> Tensor:
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return flat.reshape(picture.height, picture.width).float() / 255


def _integral(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values.cumsum(0).cumsum(1), (1, 0, 1, 0))


def _windows(sums: Tensor, high: int, wide: int) -> Tensor:
    return sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]


def _fast(length: int) -> int:
    """The next length that transforms quickly: a multiple of 64."""
    return -(-length // 64) * 64

"""Answers in words: what a message says about where something is, in the forms that models of this field write. Pure.

Read are: Qwen-VL's tool calls and JSON ("coordinate", "bbox_2d", "point_2d"), `pyautogui.click`, UI-TARS's `click(start_box=…)` and
`click(point=…)`, `<box>`, `<point>`, `<click>` and `<answer>` marks, plain `(x, y)`, `[x1, y1, x2, y2]`, `(x1, y1), (x2, y2)`. A message that
names two places says nothing: which one would be meant?
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST = 20_000
"""Characters of a message that is read at all."""
_THOUGHT = re.compile(r"<(think|thinking)>.*?</\1>", re.S)
_MARKED = re.compile(r"<answer>(.*?)</answer>", re.S)
_JSON = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>|```(?:json)?\s*(.*?)```", re.S)
_KEYS = ("coordinate", "bbox_2d", "point_2d", "bbox", "point", "box_2d", "box")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = rf"[(\[]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[)\]]"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_PAIR}\s*,?\s*{_PAIR}",
        rf"[(\[]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[)\]]",
        _PAIR,
        rf"<(?:point|click)>\s*({_NUMBER})[\s,]+({_NUMBER})\s*</(?:point|click)>",
        rf"<box>\s*({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})\s*</box>",
        rf"\bx\s*=\s*({_NUMBER})\s*,\s*y\s*=\s*({_NUMBER})",
    )
)
_ALL = re.compile(_NUMBER)
_ABSENT = re.compile(
    r"\s*(?:answer\s*:\s*)?(?:(?:it|the target) is )?(?:not present|not there|negative|none)\.?\s*", re.I
)


@dataclass(slots=True, frozen=True)
class Answer:
    """`place`: two numbers (a point) or four (a box, corner to corner) as they were written; none: it is said not to be there."""

    place: tuple[float, ...] = ()

    @property
    def absent(self) -> bool:
        return not self.place


def read(text: str) -> Answer | None:
    """What `text` answers; None if nothing, or more than one thing, or nothing that is a place."""
    if len(text) > MOST:
        return None
    said = _THOUGHT.sub(" ", text)
    marked = _MARKED.findall(said)
    if len(set(marked)) > 1:
        return None
    said = marked[0] if marked else said
    if _ABSENT.fullmatch(said):
        return Answer()
    places = set(_places(said))
    return answer_of(places.pop()) if len(places) == 1 else None


def answer_of(place: Any) -> Answer | None:
    """From numbers that came apart: two are a point, four a box with an area. None for anything else, NaN and infinity included."""
    if not isinstance(place, (list, tuple)) or len(place) not in (2, 4):
        return None
    try:
        numbers = tuple(float(each) for each in place)
    except (TypeError, ValueError, OverflowError):
        return None
    if not all(math.isfinite(each) for each in numbers):
        return None
    if len(numbers) == 4 and not (numbers[0] < numbers[2] and numbers[1] < numbers[3]):
        return None
    return Answer(numbers)


def _places(text: str) -> Iterator[tuple[float, ...]]:
    """Every place that is written in `text`: from JSON if there is any, else from marks and brackets, else from bare numbers."""
    found = False
    blocks = [one or other for one, other in _JSON.findall(text)]
    for block in blocks or [text]:
        for place in _in_json(block):
            found = True
            yield place
    if found:
        return
    rest = text
    for form in _FORMS:
        for match in form.finditer(rest):
            found = True
            yield tuple(float(each) for each in match.groups())
        rest = form.sub(" ", rest)
    numbers = _ALL.findall(text)
    if not found and len(numbers) in (2, 4):
        yield tuple(float(each) for each in numbers)


def _in_json(text: str) -> Iterator[tuple[float, ...]]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _in_value(said, 0)


def _in_value(said: Any, depth: int) -> Iterator[tuple[float, ...]]:
    if depth > 6:
        return
    if isinstance(said, dict):
        if "x" in said and "y" in said and _are_numbers([said["x"], said["y"]]):
            yield float(said["x"]), float(said["y"])
        for key, value in said.items():
            if key in _KEYS and _are_numbers(value):
                yield tuple(float(each) for each in value)
            else:
                yield from _in_value(value, depth + 1)
    elif isinstance(said, list):
        if depth == 0 and _are_numbers(said):
            yield tuple(float(each) for each in said)
        for value in said:
            yield from _in_value(value, depth + 1)


def _are_numbers(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(each, (int, float)) and abs(each) < 1e300 for each in value)
    return numbers and len(value) in (2, 4)

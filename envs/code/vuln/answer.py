"""The answer file: strict reading of what an agent wrote about a program. Says nothing about whether it is right."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import Any, NoReturn

ANSWER = "answer.json"
MAX_CHARS = 8_000
MAX_REASON = 2_000
MAX_SPAN = 3
"""How many lines an answer may name: a place, not a page."""
_FIELDS = {"vulnerable", "cwe", "file", "line", "reason"}


class BadAnswer(ValueError):
    """The file is no answer; the message says why."""


@dataclass(slots=True, frozen=True)
class Answer:
    """`lines` are the first and the last line named; None: no place was named. `cwe` is the number; 0: none."""

    vulnerable: bool
    cwe: int = 0
    file: str = ""
    lines: tuple[int, int] | None = None
    reason: str = ""


def read_answer(text: str) -> Answer:
    """Parse an answer. Raises BadAnswer for whatever is not exactly one."""
    if len(text) > MAX_CHARS:
        raise BadAnswer(f"longer than {MAX_CHARS} characters")
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise BadAnswer("nested too deep") from None
    except BadAnswer:
        raise
    except ValueError as error:
        raise BadAnswer(f"not JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("vulnerable"), bool):
        raise BadAnswer('not an object with a "vulnerable" that is true or false')
    if unknown := data.keys() - _FIELDS:
        raise BadAnswer(f"unknown fields: {', '.join(sorted(unknown))[:200]}")
    lines = _lines(data.get("line"))
    file = _text(data, "file", 300)
    if (lines is None) != (not file):
        raise BadAnswer('"file" and "line" go together')
    return Answer(
        data["vulnerable"],
        _cwe(data),
        posixpath.normpath(file) if file else "",
        lines,
        _text(data, "reason", MAX_REASON),
    )


def _cwe(data: dict[str, Any]) -> int:
    text = _text(data, "cwe", 12)
    if not text:
        return 0
    if not (found := re.fullmatch(r"CWE-([0-9]{1,5})", text)):
        raise BadAnswer('"cwe" must be one weakness, like "CWE-20"')
    return int(found[1])


def _text(data: dict[str, Any], name: str, most: int) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise BadAnswer(f'"{name}" must be text of at most {most} characters')
    return value


def _lines(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2 or any(type(end) is not int or end < 1 for end in ends) or ends[1] < ends[0]:
        raise BadAnswer('"line" must be a line number, or the first and the last of a few lines')
    if ends[1] - ends[0] >= MAX_SPAN:
        raise BadAnswer(f'"line" may span {MAX_SPAN} lines')
    return ends[0], ends[1]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise BadAnswer("a field stands twice")
    return data


def _constant(name: str) -> NoReturn:
    raise BadAnswer(f"{name} is no number")

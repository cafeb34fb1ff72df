"""What two replays of one episode may differ in: times, addresses, process ids, temporary names. For comparison only."""

from __future__ import annotations

import re

_RULES = [
    (re.compile(r"\b\d+(\.\d+)? ?(s|ms|us|seconds?|milliseconds?)\b( \(\d+:\d\d:\d\d\))?"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]{4,}\b"), "<address>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?"), "<date>"),
    (re.compile(r"\b[A-Z][a-z]{2} +\d{1,2} +\d\d:\d\d(:\d\d)?"), "<date>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"/tmp/[\w./-]+"), "<temporary>"),
    (re.compile(r"(line \d+: +)\d+( (Killed|Terminated|Aborted|Segmentation fault))"), r"\1<pid>\2"),
    (re.compile(r"\b\d+ bytes left out"), "<count> bytes left out"),
    (re.compile(r"=+ (.*?) =+$", re.M), r"= \1 ="),
]


def normalise(text: str) -> str:
    """`text` with everything volatile replaced by a name for it."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text

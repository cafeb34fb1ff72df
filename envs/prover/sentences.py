"""Coq's text as sentences: where each begins and ends, and what may be one step of a proof. Knows no tactics.

Coq itself reads only the first sentence of what it is given in a session and all of them in a file.  So that both see
the same proof, a step must be exactly one sentence here, before either has seen it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentgym.errors import ToolError

MOST_CHARS = 100_000
"""Of one step."""
_BLANK = " \t\r\n"
_BULLET = re.compile(r"(-+|\++|\*+)(?![)])")
_BRACE = re.compile(r"(?:(?:\d+|\[\s*[\w']+\s*\])\s*:\s*)?\{|\}")
_SELECTOR = re.compile(r"(?:all|par|!|\[\s*[\w']+\s*\]|\d+(?:\s*-\s*\d+)?(?:\s*,\s*\d+(?:\s*-\s*\d+)?)*)\s*:(?!=)")
_PLAIN_RUN = re.compile(r'[^."(]+')
_COMMENT_RUN = re.compile(r'[^*"(]+')
_USUAL = re.compile(r"[A-Za-z][^.\"(:\x00-\x1f\ud800-\udfff]*\.")
"""A tactic in which nothing is that could open, end or select anything: most are, and need no closer look."""
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_BLANKS = re.compile(f"[{_BLANK}]+")
_PLAIN = frozenset({"Unshelve."})
"""The commands that are steps of a proof though they are no tactics."""


@dataclass(slots=True, frozen=True)
class Sentence:
    """`text[start:end]` of what was split: without the blanks and comments before it, with its full stop."""

    start: int
    end: int
    text: str


def split(text: str) -> list[Sentence]:
    """All sentences of `text`. Raises ValueError saying what is not closed at its end."""
    found: list[Sentence] = []
    at = _skip(text, 0)
    while at < len(text):
        end = _end(text, at)
        found.append(Sentence(at, end, text[at:end]))
        at = _skip(text, end)
    return found


def as_step(text: str) -> str:
    """`text` as it is given to Coq, if it is exactly one step of a proof. Raises ToolError saying what is wrong.

    A tactic gets the selector of the first goal, which it has anyway: after a selector Coq's own grammar takes tactics
    and queries only, so that no command can declare an axiom, change an option or write a file.
    """
    if _USUAL.fullmatch(text) and text not in _PLAIN and len(text) <= MOST_CHARS:
        return f"1: {text}"
    if len(text) > MOST_CHARS:
        raise ToolError(f"a step has at most {MOST_CHARS} characters, this one has {len(text)}")
    if bad := _UNSAYABLE.search(text):
        raise ToolError(f"a step is text: it can not hold the character {bad[0]!r}")
    try:
        sentences = split(text)
    except ValueError as error:
        raise ToolError(f"not a whole sentence: {error}") from None
    if len(sentences) != 1:
        many = f"{len(sentences)} sentences, the second is {sentences[1].text[:80]!r}" if sentences else "none"
        raise ToolError(f"a step is exactly one sentence; here there are {many}")
    step = sentences[0].text
    if step in _PLAIN or _BRACE.fullmatch(step) or _BULLET.fullmatch(step) or _SELECTOR.match(step):
        return step
    return f"1: {step}"


def _end(text: str, at: int) -> int:
    """Where the sentence that begins at `at` ends."""
    if alone := _BRACE.match(text, at) or _BULLET.match(text, at):
        return alone.end()
    while at < len(text):
        if text.startswith("(*", at):
            at = _after_comment(text, at)
        elif text[at] == '"':
            at = _after_string(text, at)
        elif text[at] == ".":
            dots = at
            while at < len(text) and text[at] == ".":
                at += 1
            if at - dots != 2 and (at == len(text) or text[at] in _BLANK):
                return at
        else:
            at = plain.end() if (plain := _PLAIN_RUN.match(text, at)) else at + 1
    raise ValueError("it does not end with a full stop")


def _skip(text: str, at: int) -> int:
    """Past blanks and comments."""
    while at < len(text):
        if blanks := _BLANKS.match(text, at):
            at = blanks.end()
        elif text.startswith("(*", at):
            at = _after_comment(text, at)
        else:
            break
    return at


def _after_comment(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        if text.startswith("(*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*)", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        elif text[at] == '"':
            at = _after_string(text, at)
        else:
            at = plain.end() if (plain := _COMMENT_RUN.match(text, at)) else at + 1
    raise ValueError("a comment is not closed")


def _after_string(text: str, at: int) -> int:
    closing = text.find('"', at + 1)
    if closing < 0:
        raise ValueError("a string is not closed")
    return closing + 1  # a doubled quote is the end of one string and the beginning of the next

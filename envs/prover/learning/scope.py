"""What a tactic can name: hypotheses, bound variables, and what the theorem's file has stated and defined before it.

Read from printed text by simple rules, so some names are missed; Coq decides in any case what a name means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from agentgym.envs.prover.backend import Goal

NAME = re.compile(r"[^\W\d][\w']*(?:\.[^\W\d][\w']*)*")
_STATED = re.compile(
    r"\b(Theorem|Lemma|Fact|Remark|Corollary|Proposition|Property|Axiom|Hypothesis|Hypotheses|Definition|Fixpoint|Inductive)"
    r"\s+([^\W\d][\w']*)\s*(.*?)(?:\.\s|:=|$)",
    re.S,
)
_DEFINED = frozenset({"Definition", "Fixpoint", "Inductive"})
_COMMENT = re.compile(r"\(\*.*?\*\)", re.S)
_MOST_CHARS = 400

Kind = Literal["hypothesis", "variable", "lemma", "definition"]


class Named(NamedTuple):
    """A name with its type, statement or (for definitions) nothing. `age`: how many of its kind came after it."""

    name: str
    kind: Kind
    text: str
    age: int


@lru_cache(maxsize=256)
def of_file(header: str) -> tuple[Named, ...]:
    """What `header` states and defines, the latest first."""
    found = [(m[2], "definition" if m[1] in _DEFINED else "lemma", m[3]) for m in _STATED.finditer(_plain(header))]
    ages = {"definition": 0, "lemma": 0}
    named = []
    for name, kind, text in reversed(found):
        named.append(Named(name, kind, "" if kind == "definition" else _line(text), ages[kind]))  # type: ignore[arg-type]
        ages[kind] += 1
    return tuple(named)


def of_goal(goal: Goal) -> list[Named]:
    """The variables that the conclusion binds first, in their order, then the hypotheses, the latest first."""
    bound = list(_bound(goal.conclusion))
    variables = [Named(name, "variable", text, age) for age, (name, text) in enumerate(bound)]
    pairs = [(name, text) for line in goal.hypotheses for name, text in _hypothesis(line)]
    return variables + [Named(name, "hypothesis", text, age) for age, (name, text) in enumerate(reversed(pairs))]


def _plain(header: str) -> str:
    return _COMMENT.sub(" ", header)


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARS].removeprefix(": ").strip()


def _hypothesis(line: str) -> Iterator[tuple[str, str]]:
    """The names of one printed line "n, m : nat" or "x := 0 : nat", with their type."""
    names, _, text = line.partition(":")
    for name in names.split(","):
        yield name.strip(), _line(text.removeprefix("="))


def _bound(conclusion: str) -> Iterator[tuple[str, str]]:
    """The names after a leading `forall`, with their types."""
    if not conclusion.startswith("forall "):
        return
    text = _to_comma(conclusion[len("forall ") :])
    for group in re.findall(r"\(([^():]+:[^()]*(?:\([^()]*\)[^()]*)*)\)", text) if text.startswith("(") else [text]:
        names, _, type_ = group.partition(":")
        for name in names.split():
            yield name, _line(type_)


def _to_comma(text: str) -> str:
    """`text` up to the first comma outside of parentheses."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            return text[:at]
    return text

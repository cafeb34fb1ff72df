"""Tactics as templates: the names that a goal or a file brings become slots, and new names are left to Coq.

"intros n H; apply (le_trans n) in H." is no template; "intros ? ?" and "apply {0} in {1}." are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from agentgym.envs.prover.learning.scope import NAME

MOST_SLOTS = 2
_TOKEN = re.compile(rf"{NAME.pattern}|\s+|.", re.S)
_ONLY_NAMES = re.compile(r"^(intros?)(?: \?)+\.$")
_NAMING = frozenset({"intros", "intro", "as", "eqn"})
"""After these words come names that the tactic makes up."""
_NAMED = frozenset({";", ".", "in", "by", "using", "with", "at", "=>"})


def abstract(tactic: str, known: Collection[str]) -> tuple[str, tuple[str, ...]] | None:
    """The template of a tactic and the names in its slots; None if it has more than two.

    `known`: the names that may fill slots.  Whoever fills the slots of the template gets the tactic back, but for the
    names that it makes up: Coq chooses those.
    """
    tokens = [" " if token.isspace() else token for token in _TOKEN.findall(tactic.strip().removeprefix("1: "))]
    fresh = _fresh(tokens)
    used = {token for token, made_up in zip(tokens, fresh, strict=True) if not made_up}
    slots: list[str] = []
    parts = []
    for token, made_up in zip(tokens, fresh, strict=True):
        if made_up and token not in used:
            parts.append("?")
        elif not made_up and token in known:
            if token not in slots:
                slots.append(token)
            parts.append(f"{{{slots.index(token)}}}")
        else:
            parts.append(token)
    template = _ONLY_NAMES.sub(r"\1.", "".join(parts))
    return (template, tuple(slots)) if len(slots) <= MOST_SLOTS else None


def slots(template: str) -> int:
    """How many names a template wants."""
    return len(set(re.findall(r"\{\d\}", template)))


def fill(template: str, names: Sequence[str]) -> str:
    """The tactic that `names` make of a template."""
    for number, name in enumerate(names):
        template = template.replace(f"{{{number}}}", name)
    return template


def _fresh(tokens: Sequence[str]) -> list[bool]:
    """For each token, whether it is a name that the tactic makes up."""
    found, naming, depth = [], False, 0
    for token in tokens:
        if naming:
            depth += (token in "[(") - (token in "])")
            naming = depth >= 0 and not (depth == 0 and (token in _NAMED or token == "|"))
        found.append(naming and NAME.fullmatch(token) is not None and token not in _NAMING)
        if token in _NAMING:
            naming, depth = True, 0
    return found

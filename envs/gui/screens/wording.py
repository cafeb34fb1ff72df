"""Meanings in words: `instructions.toml` read and filled in. What is true is not decided here."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from agentgym.envs.gui.screens.meaning import Meaning


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(resources.files("agentgym.envs.gui.screens").joinpath("instructions.toml").read_text("utf-8"))


def instruction(meaning: Meaning, name: str, anchor: str, language: str, held_out: bool, rng: Random) -> str:
    """`meaning` in that language. name, anchor: as the page writes them.  held_out: in the words of the test split."""
    words = _phrases()[language]
    if meaning.how == "purpose":
        phrases = (held_out and words["purpose_held_out"].get(meaning.purpose)) or words["purpose"][meaning.purpose]
        return str(rng.choice(phrases))
    phrase: str = rng.choice(words["held_out" if held_out else "how"][meaning.how])
    kind, title = meaning.group
    return phrase.format(
        name=name,
        anchor=anchor,
        role=words["roles"].get(meaning.role, words["roles"]["item"]),
        group=words["groups"][kind].format(name=title) if kind else "",
        side=words["sides"].get(meaning.side, ""),
        start=words["starts"].get(meaning.axis, ""),
        n=meaning.number,
        of=meaning.of,
    )

"""A goal and the names in reach as features for a small model. No learning here, no text of the library kept.

Local names stand for their types, so that "n + 0 = n" and "m + 0 = m" look the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from agentgym.envs.prover.backend import Goal
from agentgym.envs.prover.learning import scope
from agentgym.envs.prover.learning.scope import NAME, Named

_TOKEN = re.compile(rf"{NAME.pattern}|\d+|[^\w\s()\[\]{{}},;]+")
_RELATIONS = ("<->", "\\/", "/\\", "=", "<>", "<=", "<", ">=", ">", "==", "::")
_MOST_TOKENS = 120
_VARIABLES, _HYPOTHESES, _RECENT, _RETRIEVED, _DEFINITIONS = 5, 12, 4, 10, 6
_KINDS = ("hypothesis", "variable", "lemma", "definition")
NUMBERS = len(_KINDS) + 13
"""How many numbers describe a candidate."""


@dataclass(slots=True, frozen=True)
class View:
    """One goal as the model sees it. `rows[i]` has NUMBERS numbers for `names[i]`, and `heads[i]` its head symbol."""

    features: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    heads: tuple[str, ...]


def view(goal: Goal, header: str, folder: str, rarity: Mapping[str, float], prefix: int = 0) -> View:
    """The goal in its file. `rarity`: how much a token in common counts; `prefix`: which of several policies is meant."""
    local = scope.of_goal(goal)
    types = {each.name: f"<{head(each.text)}>" for each in local}
    wanted, given = set(words(goal.conclusion)), {word for line in goal.hypotheses for word in words(line)}
    found = _candidates(local, scope.of_file(header), wanted, given, rarity)
    goal_head = head(goal.conclusion)
    rows = tuple(tuple(_numbers(each, goal, goal_head, wanted, given, rarity)) for each in found)
    features = tuple(dict.fromkeys((*_features(goal, types), f"folder:{folder}", f"prefix:{prefix}")))
    return View(features, tuple(each.name for each in found), rows, tuple(head(each.text) for each in found))


@lru_cache(maxsize=65_536)
def words(text: str) -> tuple[str, ...]:
    """The names, numbers and operators of a text."""
    return tuple(_TOKEN.findall(text))[:_MOST_TOKENS]


@lru_cache(maxsize=65_536)
def head(text: str) -> str:
    """The relation or name that a statement is about, once its premises are gone."""
    text = text.split(" -> ")[-1]
    while text.startswith("forall ") and ", " in text:
        text = text.split(", ", 1)[1].split(" -> ")[-1]
    depth, seen = 0, set()
    for token in re.findall(r"[()\[\]{}]|[^\s()\[\]{}]+", text):
        depth += (token in "([{") - (token in ")]}")
        if not depth:
            seen.add(token)
    return next((each for each in _RELATIONS if each in seen), (words(text) or ("",))[0])


def _features(goal: Goal, types: Mapping[str, str]) -> Iterable[str]:
    tokens = [types.get(word, word) for word in words(goal.conclusion)]
    yield f"head:{head(goal.conclusion)}"
    yield f"first:{tokens[0] if tokens else ''}"
    yield f"size:{int(math.log2(1 + len(tokens)))}"
    yield f"hypotheses:{min(len(goal.hypotheses), 12)}"
    yield from (f"1:{token}" for token in tokens)
    yield from (f"2:{' '.join(pair)}" for pair in pairwise(tokens))
    yield from (f"3:{' '.join(three)}" for three in zip(tokens, tokens[1:], tokens[2:], strict=False))
    for line in goal.hypotheses:
        text = line.partition(":")[2]
        yield f"about:{head(text)}"
        yield from (f"given:{types.get(word, word)}" for word in words(text)[:40])


def _candidates(
    local: list[Named], file: tuple[Named, ...], wanted: set[str], given: set[str], rarity: Mapping[str, float]
) -> list[Named]:
    """The names that slots are filled from, each once: near ones, and those of the file that look like the goal."""
    variables = [each for each in local if each.kind == "variable"][:_VARIABLES]
    hypotheses = [each for each in local if each.kind == "hypothesis"][:_HYPOTHESES]
    lemmas = [each for each in file if each.kind == "lemma"]
    ranked = sorted(lemmas, key=lambda each: -_shared(words(each.text), wanted, rarity)[0])
    definitions = [each for each in file if each.kind == "definition" and each.name in wanted | given]
    found = [*variables, *hypotheses, *lemmas[:_RECENT], *ranked[:_RETRIEVED], *definitions[:_DEFINITIONS]]
    return list({each.name: each for each in reversed(found)}.values())[::-1]


def _shared(tokens: tuple[str, ...], others: set[str], rarity: Mapping[str, float]) -> tuple[float, float]:
    """What `tokens` have in common with `others`: the shares of both, by rarity."""
    common = sum(rarity.get(token, 1.0) for token in set(tokens) & others)
    own = sum(rarity.get(token, 1.0) for token in set(tokens))
    theirs = sum(rarity.get(token, 1.0) for token in others)
    return common / (math.sqrt(own * theirs) + 1e-6), common / (own + 1e-6)


def _numbers(
    each: Named, goal: Goal, goal_head: str, wanted: set[str], given: set[str], rarity: Mapping[str, float]
) -> Iterable[float]:
    tokens = words(each.text)
    yield from (float(each.kind == kind) for kind in _KINDS)
    yield math.log1p(each.age) / 3
    yield float(each.age == 0)
    yield from _shared(tokens, wanted, rarity)
    yield _shared(tokens, given, rarity)[1]
    yield float(each.name in wanted)
    yield float(each.name in given)
    yield float(head(each.text) == goal_head)
    yield float(each.text == goal.conclusion)
    yield min(each.text.count("->"), 4) / 4
    yield float(each.text.startswith("forall"))
    yield float(len(tokens) == 1)
    yield float("=" in tokens)

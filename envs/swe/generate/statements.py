"""A statement for a task in words of our own: what the failing tests are about, what they need, where it is announced.

Made from a template out of names and single words; no sentence of a changelog is copied.  A person can do better:
what is written by hand in a task file stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from agentgym.envs.swe.generate.pairs import Pair
from agentgym.envs.swe.hunks import Hunk, owners
from agentgym.envs.swe.twins import split_id

_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "added and are been but changed for has not now the was you false fix fixed from have into more none only python release removed return self some "
        "support test tests than that their there this true version were when where which will with",
    )
)
_MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Statement:
    """`source` is "changelog" if the release's own notes speak of the change, else "diff"."""

    text: str
    source: str


def write(pair: Pair, hunks: Iterable[Hunk], failing: Iterable[str], message: str) -> Statement:
    """The statement of a task. `hunks` are what is missing (of a whole pair: all), `message` the first failure's."""
    hunks, failing = list(hunks), list(failing)
    paths = sorted({hunk.path for hunk in hunks})
    where = [f"{_names(pair, path, hunks)}{path}" for path in paths[:4]] + ["other files"] * (len(paths) > 4)
    about = list(
        dict.fromkeys(split_id(id)[1].rpartition("::")[2].removeprefix("test_").replace("_", " ") for id in failing)
    )
    used = used_by(pair, failing[:10])
    topics, new = _topics(pair, hunks, failing), _new_names(pair, hunks, used)
    parts = [
        f"What release {pair.fix.version} of {pair.package} changed in {', '.join(where)} is to be done here.",
        f"Tests of it fail; they are about: {'; '.join(about[:6])}.",
    ]
    if message.strip():
        parts.append(f"The first of them says: {message.strip().splitlines()[0][:200]}")
    if new:
        parts.append(f"Names that the tests expect: {', '.join(new[:8])}.")
    if topics:
        parts.append(f"The release notes speak of it under these words: {', '.join(topics)}.")
    return Statement("\n".join(parts), "changelog" if len(topics) >= 2 else "diff")


def names_around(pair: Pair, hunks: Iterable[Hunk]) -> set[str]:
    """The names that hunks bring, and those of the functions and classes they are in."""
    hunks = list(hunks)
    around = " ".join(_names(pair, path, hunks) for path in {hunk.path for hunk in hunks})
    return _names_of("\n".join([*_lines(pair, hunks), around]))


def _names(pair: Pair, path: str, hunks: list[Hunk]) -> str:
    text = pair.text(pair.fix, path)
    lines = [line for hunk in hunks if hunk.path == path for line in range(hunk.fix_lines[0], hunk.fix_lines[1] + 1)]
    try:
        names = owners(text or "", lines)
    except SyntaxError:
        names = []
    return f"{', '.join(names[:4])} of " if names else ""


def _topics(pair: Pair, hunks: list[Hunk], failing: list[str]) -> list[str]:
    """Words that the release's new changelog lines share with the change and its tests, the rarest first."""
    named = [_names(pair, path, hunks) for path in {hunk.path for hunk in hunks}]
    changed = " ".join(_lines(pair, hunks) + failing + named)
    ours = _words(changed)
    counts: dict[str, int] = {}
    for line in pair.news:
        for word in _words(line) & ours:
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (counts[word], word))[:_MOST_WORDS]


def _words(text: str) -> set[str]:
    return {word for word in map(str.lower, _WORD.findall(text.replace("_", " "))) if word not in _COMMON}


def _lines(pair: Pair, hunks: list[Hunk]) -> list[str]:
    """The lines that the hunks bring."""
    found: list[str] = []
    for hunk in hunks:
        found += (pair.text(pair.fix, hunk.path) or "").split("\n")[slice(*hunk.fix_lines)]
    return found


def _new_names(pair: Pair, hunks: list[Hunk], used: frozenset[str]) -> list[str]:
    """Names that the tests use, the hunks bring and the source did not have."""
    brought = _names_of("\n".join(_lines(pair, hunks)))
    known = {name for path in {hunk.path for hunk in hunks} for name in _names_of(pair.text(pair.base, path) or "")}
    return sorted(name for name in (brought & used) - known if len(name) > 2)


def _names_of(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))


def used_by(pair: Pair, ids: Iterable[str]) -> frozenset[str]:
    """The names in the code of tests, as far as it is written out in their files."""
    found = (
        _functions(pair.text(pair.fix, path) or "").get(name.rpartition("::")[2], frozenset())
        for path, name, _ in map(split_id, ids)
    )
    return frozenset[str]().union(*found)


@lru_cache(maxsize=32)
def _functions(source: str) -> dict[str, frozenset[str]]:
    """The names in the code of each function of a module; those of functions of one name together."""
    names: dict[str, frozenset[str]] = {}
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return names
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = names.get(node.name, frozenset()) | _names_in(node)
    return names


def _names_in(node: ast.AST) -> set[str]:
    names: set[str] = set()
    for each in ast.walk(node):
        match each:
            case ast.Name(id=used) | ast.Attribute(attr=used) | ast.keyword(arg=str(used)) | ast.alias(name=used):
                names.add(used)
    return names

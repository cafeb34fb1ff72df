"""A release's change of a file taken apart: hunks by line ranges, and one of them put back. Pure text in, text out.

A hunk names lines of both versions and carries a digest over their text, so a task that holds it is data only and
says so if the sources are not those it was made from.  Hunks of one function belong together (`groups`).
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentgym.envs.swe.cache import digest
from agentgym.envs.swe.diffs import split_lines
from agentgym.errors import TaskError

_NEAR = 2
"""Changes with at most so many equal lines between them are one hunk."""

_Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class Hunk(BaseModel):
    """Lines `fix_lines` of the fix version stand where lines `base_lines` stood: counted from 0, end excluded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    base_lines: _Range
    fix_lines: _Range
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @property
    def size(self) -> int:
        """Lines removed and added."""
        return self.base_lines[1] - self.base_lines[0] + self.fix_lines[1] - self.fix_lines[0]


def put_back(hunks: Iterable[Hunk], base: str, fix: str) -> str:
    """The fix version's text with `hunks` (of one file) as the base version has them.

    Raises TaskError if the lines are not those that the hunks were made from.
    """
    old, new = split_lines(base), split_lines(fix)
    lines = list(new)
    for hunk in sorted(hunks, key=lambda hunk: hunk.fix_lines, reverse=True):
        if identity(hunk.path, _cut(old, hunk.base_lines), _cut(new, hunk.fix_lines)) != hunk.sha256:
            raise TaskError(f"{hunk.path}, line {hunk.fix_lines[0] + 1}: not the lines that the task was made from")
        lines[slice(*hunk.fix_lines)] = _cut(old, hunk.base_lines)
    return "".join(lines)


def identity(path: str, removed: Iterable[str], added: Iterable[str]) -> str:
    """What a hunk is, wherever it stands."""
    return digest("hunk", path, "".join(removed), "".join(added))


def hunks(path: str, base: str, fix: str) -> list[Hunk]:
    """Every hunk of a file, in order."""
    old, new = split_lines(base), split_lines(fix)
    found: list[tuple[int, int, int, int]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if found and a - found[-1][1] <= _NEAR:
            a, c = found[-1][0], found[-1][2]
            found.pop()
        found.append((a, b, c, d))
    return [
        Hunk(path=path, base_lines=(a, b), fix_lines=(c, d), sha256=identity(path, old[a:b], new[c:d]))
        for a, b, c, d in found
    ]


def groups(path: str, base: str, fix: str) -> list[tuple[Hunk, ...]]:
    """The hunks that change code, those of one function together. Raises SyntaxError if `fix` is not Python."""
    spans = sorted(_functions(ast.parse(fix)), key=lambda span: span[1] - span[0])
    piles: dict[tuple[int, int], list[Hunk]] = {}
    for hunk in hunks(path, base, fix):
        first, last = hunk.fix_lines[0], max(hunk.fix_lines[0], hunk.fix_lines[1] - 1)
        home = next((span for span in spans if span[0] <= first and last < span[1]), (-1, first))
        piles.setdefault(home, []).append(hunk)
    return [tuple(pile) for pile in piles.values() if _code(put_back(pile, base, fix)) != _code(fix)]


def owners(source: str, lines: Sequence[int]) -> list[str]:
    """The names of the innermost functions (or classes) around lines, counted from 0."""
    found: list[str] = []
    named = sorted(_named(ast.parse(source), ""), key=lambda each: each[1] - each[0])
    for line in lines:
        name = next((name for first, end, name in named if first <= line < end), None)
        if name and name not in found:
            found.append(name)
    return found


def _cut(lines: list[str], bounds: tuple[int, int]) -> list[str]:
    return lines[slice(*bounds)]


def _functions(tree: ast.AST) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _span(node)


def _named(node: ast.AST, outer: str) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield *_span(child), outer + child.name
            yield from _named(child, f"{outer}{child.name}.")
        else:
            yield from _named(child, outer)


def _span(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> tuple[int, int]:
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return first - 1, node.end_lineno or node.lineno


def _code(source: str) -> str | None:
    """A module's code without docstrings and annotations; None if it is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            node.annotation = ast.Constant(None)
    return ast.dump(tree)

"""Expected values taken out of trusted tests: a stand-in is put for each, and what it is compared with is judged elsewhere.

Code under test shares a process with its tests, so it can read them, and it can make any check in that process pass.
What it can not do is know a value that is not there.  `blind` replaces the literals that a test compares with (and
the exceptions that it expects) by stand-ins; in the box a stand-in (see `inbox`) is equal to everything and reports
what it met, and here `StandIn.agrees` says whether that was right.  Text in, text out: runs nothing.  Which stand-ins
a test bears is found out by running them once on a right solution.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentgym.envs.swe.twins import called, checks_of, functions_of, split_id

_KINDS: tuple[type, ...] = (int, float, str, bytes, list, tuple, dict, set)
_RAISES = ("raises", "assertRaises", "assertRaisesRegex")
ODD = object()
"""What is seen where something no literal could be equal to was compared."""


@dataclass(slots=True, frozen=True)
class StandIn:
    """Literal `number` of the test function `test` (path, classes and name): what kind it is, and its value.

    The kind "raises" has an exception's name for its value.
    """

    test: str
    number: int
    kind: str
    value: Any

    def agrees(self, seen: Any) -> bool:
        """Whether what was compared with the stand-in would have passed the test's own check."""
        if self.kind == "raises":
            return isinstance(seen, list) and self.value in seen
        return seen is not ODD and bool(seen == self.value)


def blind(
    files: Mapping[str, bytes], ids: Iterable[str], name: str, chosen: Callable[[str, int], bool]
) -> tuple[dict[str, bytes], list[StandIn]]:
    """The files with `name(0)`, `name(1)` ... for the expected values of the tests `ids`, and what these stand for.

    `chosen` says which, by test function and number.  Lines keep their numbers.
    """
    wanted = {"::".join(split_id(id)[:2]) for id in ids}
    made: list[StandIn] = []
    result = dict(files)
    for path in sorted({test.partition("::")[0] for test in wanted} & files.keys()):
        try:
            tree = ast.parse(files[path].decode())
        except (ValueError, SyntaxError):
            continue
        edits = []
        for inner, function in functions_of(tree):
            test = f"{path}::{inner}"
            for number, (node, kind, value) in enumerate(_expected(function) if test in wanted else ()):
                if chosen(test, number):
                    edits.append((node, f"{name}({len(made)}"))
                    made.append(StandIn(test, number, kind, value))
        result[path] = _edited(files[path], edits)
    return result, made


def decoded(record: Any) -> Any:
    """The value that a stand-in reported; ODD for what is no plain value or no report. See `inbox.plain`."""
    try:
        kind, content = record
        if kind in ("list", "tuple", "set"):
            parts = [decoded(part) for part in content]
            return ODD if ODD in parts else {"list": list, "tuple": tuple, "set": set}[kind](parts)
        if kind == "dict":
            pairs = [(decoded(key), decoded(value)) for key, value in content]
            return ODD if any(ODD in pair for pair in pairs) else dict(pairs)
        simple: dict[str, Callable[[Any], Any]] = {
            "none": lambda _: None,
            "bool": bool,
            "int": lambda text: int(text, 16),
            "float": float.fromhex,
            "str": str,
            "bytes": bytes.fromhex,
        }
        return simple[kind](content)
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError):
        return ODD


def _expected(function: ast.FunctionDef) -> Iterator[tuple[ast.expr, str, Any]]:
    """The literals that a test compares with, with their kinds and values; each node once, in a fixed order."""
    names: dict[str, int] = {}
    for check in checks_of(function):
        if isinstance(check, ast.Call) and called(check) in _RAISES:
            error = check.args[0]
            if isinstance(error, ast.Name | ast.Attribute):
                yield error, "raises", error.attr if isinstance(error, ast.Attribute) else error.id
            continue
        sides = _sides(check)
        found = [(side, *literal) for side in sides if (literal := _literal(side))]
        yield from found[-1:]
        for side in sides:
            if not found and isinstance(side, ast.Name):
                names[side.id] = names.get(side.id, 0) + 1
    uses: dict[str, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses[node.id] = uses.get(node.id, 0) + 1
    only_compared = {name for name, count in names.items() if uses.get(name) == count}
    for node in _given(function, only_compared):
        if literal := _literal(node):
            yield node, *literal


def _sides(check: ast.AST) -> list[ast.expr]:
    """What is compared in a check: both sides of an equation, or the second argument of a helper of the tests' own."""
    if isinstance(check, ast.Assert):
        test = check.test
        plain = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)
        return [test.left, test.comparators[0]] if plain and isinstance(test, ast.Compare) else []
    if isinstance(check, ast.Call) and len(check.args) >= 2:
        name = called(check).lower()
        return check.args[:2] if "equal" in name and "not" not in name else check.args[1:2]
    return []


def _given(function: ast.FunctionDef, names: set[str]) -> Iterator[ast.expr]:
    """The values that a test gives to local names: by assignment, as a loop over rows, as a parameter."""
    tables: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                tables[name] = value
                if name in names:
                    yield value
            case ast.For(target=ast.Tuple(elts=targets), iter=rows):
                rows = tables.get(rows.id, rows) if isinstance(rows, ast.Name) else rows
                yield from _column(rows, [getattr(target, "id", "") for target in targets], names)
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(args=[ast.Constant(value=str(titles)), rows, *_]) if called(decorator) == "parametrize":
                cells = _column(rows, [title.strip() for title in titles.split(",")], names)
                # Others would change the test's id, which says them anyway.
                yield from (cell for cell in cells if isinstance(cell, ast.List | ast.Tuple | ast.Dict | ast.Set))


def _column(table: ast.expr, titles: list[str], names: set[str]) -> Iterator[ast.expr]:
    for row in table.elts if isinstance(table, ast.List | ast.Tuple) else []:
        cells = row.elts if isinstance(row, ast.Tuple | ast.List) else []
        if len(cells) == len(titles):
            yield from (cell for cell, title in zip(cells, titles, strict=True) if title in names)


def _literal(node: ast.expr) -> tuple[str, Any] | None:
    """The kind and value of a literal, or of what only needs literals, that a stand-in can be put for."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(between)), attr="join"), args=[parts]):
            literal = _literal(parts)
            if literal and literal[0] in ("list", "tuple") and all(isinstance(line, str) for line in literal[1]):
                return "str", between.join(literal[1])
            return None
        case ast.Call(args=[inner], keywords=[]) if called(node) == "dedent":
            literal = _literal(inner)
            return ("str", textwrap.dedent(literal[1]).strip()) if literal and literal[0] == "str" else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, two = _literal(left), _literal(right)
            return (one[0], one[1] + two[1]) if one and two and one[0] == two[0] in ("str", "bytes", "list") else None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    kind = type(value).__name__
    return (kind, value) if type(value) in _KINDS else None


def _edited(content: bytes, edits: list[tuple[ast.expr, str]]) -> bytes:
    """The text with nodes replaced by calls that are as many lines long."""
    lines = content.split(b"\n")
    for node, call in sorted(edits, key=lambda edit: (-edit[0].lineno, -edit[0].col_offset)):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        text = call.encode() + b"\n" * (last - first) + b")"
        text = lines[first][: node.col_offset] + text + lines[last][node.end_col_offset :]
        lines[first : last + 1] = text.split(b"\n")
    return b"\n".join(lines)

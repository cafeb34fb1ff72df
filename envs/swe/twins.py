"""Disguise of trusted tests: names that nobody can know before, and twins that a right solution must fail. Pure.

A twin is a copy of a test with one check turned wrong: an expected value changed, an assertion negated, an expected
exception replaced.  Whatever makes tests pass without solving the task (a patched report class, an object equal to
everything, a neutered assert helper) makes the twins pass too, and a cheat cannot tell a twin from a test by its name:
both get a suffix drawn from a seed.  Which twins do fail on a right solution is found out by running them once.
"""

from __future__ import annotations

import ast
import io
import random
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_OPPOSITE = {
    f"assert{a}": f"assert{b}"
    for pair in ("True False", "Is IsNot", "In NotIn", "IsNone IsNotNone", "IsInstance NotIsInstance")
    for a, b in [pair.split(), pair.split()[::-1]]
}
_HELPERS = """

def {skew}(value):
    if isinstance(value, bool):
        return not value
    for kind, more in ((int, {number}), (float, {number}), (str, {letter!r}), (bytes, {letter!r}.encode())):
        if type(value) is kind:
            return value + more
    for kind in (list, tuple):
        if type(value) is kind:
            return value + kind(({number}, {letter!r}))
    if type(value) is dict:
        return {{**value, {letter!r}: {number}}}
    if type(value) is set or type(value) is frozenset:
        return value | {{{letter!r}}}
    return object()


class {never}(Exception):
    pass
"""


@dataclass(slots=True, frozen=True)
class Disguised:
    """`files` to be laid over the tree; `names` has the old name and the twin's number for each new test name."""

    files: dict[str, bytes]
    names: dict[str, tuple[str, int | None]]

    def reveal(self, id: str) -> tuple[str, int | None]:
        """The id before the disguise, and the number of the twin (None: the test itself)."""
        path, name, parameter = split_id(id)
        if (entry := self.names.get(f"{path}::{name}")) is None:
            return id, None
        return f"{path}::{entry[0]}{parameter}", entry[1]


def split_id(id: str) -> tuple[str, str, str]:
    """A test id as path, name with its classes, and parameter with its brackets (or nothing)."""
    path, _, rest = id.partition("::")
    name, bracket, parameter = rest.partition("[")
    return path, name, bracket + parameter


def disguise(files: Mapping[str, bytes], ids: Iterable[str], seed: str, most: int = 2, blinder: str = "") -> Disguised:
    """Rename the tests called `ids` in `files` and put up to `most` twins beside each.

    `blinder` is what stand-ins are called by (see `blind`). A test that is not written out in its file (inherited, generated) stays as it is and gets no twin.
    """
    draw = random.Random(seed)
    wanted: dict[str, set[str]] = {}
    for id in sorted(set(ids)):
        path, name, _ = split_id(id)
        wanted.setdefault(path, set()).add(name)
    result = Disguised({}, {})
    for path, names in wanted.items():
        if path in files and path.endswith(".py"):
            _disguise_file(path, files[path], names, draw, most, blinder, result)
    return result


def _disguise_file(
    path: str, content: bytes, wanted: set[str], draw: random.Random, most: int, blinder: str, result: Disguised
) -> None:
    try:
        source = content.decode()
        tree = ast.parse(source)
        once = _names_used_once(source)
    except (ValueError, SyntaxError, tokenize.TokenError):
        return
    lines = source.split("\n")
    skew, never = _suffix("", draw), _suffix("", draw)
    for name, node in sorted(functions_of(tree), key=lambda pair: -pair[1].lineno):
        if name not in wanted or node.end_lineno is None:
            continue
        outer = name[: -len(node.name)]
        before: list[str] = []
        for number in _worth_turning(node, blinder)[:most]:
            twin = _twin(node, number, skew, never)
            twin.name = _suffix(node.name, draw)
            margin = " " * node.col_offset
            text = [margin + line if line else line for line in ast.unparse(twin).split("\n")]
            if all("\n" not in part for part in _long_strings(twin)):
                if draw.random() < 0.5:  # its place does not tell a twin
                    before += [*text, ""]
                else:
                    lines[node.end_lineno : node.end_lineno] = ["", *text]
                result.names[f"{path}::{outer}{twin.name}"] = (name, number)
        if node.name in once:
            renamed = _suffix(node.name, draw)
            place = node.lineno - 1
            lines[place] = re.sub(rf"\bdef\s+{node.name}\b", f"def {renamed}", lines[place], count=1)
            result.names[f"{path}::{outer}{renamed}"] = (name, None)
        top = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
        lines[top:top] = before
    helpers = _HELPERS.format(skew=skew, never=never, number=draw.randrange(1, 9), letter=draw.choice("abcdefgh"))
    result.files[path] = ("\n".join(lines) + helpers).encode()


def _suffix(name: str, draw: random.Random) -> str:
    return f"{name}_{draw.getrandbits(40):010x}"


def functions_of(node: ast.AST, outer: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a file, with the names that test ids have for them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from functions_of(child, f"{outer}{child.name}::")
        elif isinstance(child, ast.FunctionDef):
            yield f"{outer}{child.name}", child
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from functions_of(child, outer)


def _names_used_once(source: str) -> set[str]:
    counts: dict[str, int] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            counts[token.string] = counts.get(token.string, 0) + 1
    return {name for name, count in counts.items() if count == 1}


def _long_strings(node: ast.AST) -> Iterator[str]:
    """String literals that unparse writes over several lines (docstrings): indenting would change them."""
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef) and (text := ast.get_docstring(each, clean=False)):
            yield text


def _worth_turning(node: ast.FunctionDef, blinder: str) -> list[int]:
    """The numbers of the checks that a twin can turn wrong, the last first: it is the one that matters most often.

    A check with a stand-in needs none: it is judged elsewhere.
    """
    numbers = [number for number, check in enumerate(checks_of(node)) if not _blinded(check, blinder)]
    return numbers[::-1]


def _blinded(check: ast.AST, blinder: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == blinder for node in ast.walk(check))


def checks_of(node: ast.AST) -> Iterator[ast.AST]:
    """The checks of a test, in the order of the text."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assert) or (isinstance(child, ast.Call) and _is_check(child)):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from checks_of(child)


def _is_check(call: ast.Call) -> bool:
    name = called(call)
    if name in ("raises", "assertRaises", "assertRaisesRegex") or name in _OPPOSITE:
        return bool(call.args)
    return len(call.args) >= 2 and re.match(r"_?assert|check", name) is not None


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _twin(node: ast.FunctionDef, index: int, skew: str, never: str) -> ast.FunctionDef:
    """A copy of a test with its check number `index` turned wrong."""
    copy = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(copy, ast.FunctionDef)
    if ast.get_docstring(copy, clean=False) is not None:
        copy.body[0] = ast.Pass()
    place = list(checks_of(copy))[index]

    def changed(value: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(skew, ast.Load()), [value], [])

    if isinstance(place, ast.Assert):
        if isinstance(place.test, ast.Compare) and isinstance(place.test.ops[-1], ast.Eq):
            place.test.comparators[-1] = changed(place.test.comparators[-1])
        else:
            place.test = ast.UnaryOp(ast.Not(), place.test)
    elif isinstance(place, ast.Call):
        name = called(place)
        if name in _OPPOSITE and isinstance(place.func, ast.Attribute):
            place.func.attr = _OPPOSITE[name]
        elif "aises" in name:
            place.args[0] = ast.Name(never, ast.Load())
        else:
            place.args[1] = changed(place.args[1])
    return ast.fix_missing_locations(copy)

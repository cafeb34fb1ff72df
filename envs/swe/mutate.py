"""One-line bugs: where a source file can be broken by a small edit, and the edit itself. Pure text in, text out.

Found by AST, edited by source span: a mutation touches one physical line and nothing else of it, so the repair is a
one-line edit too.  Every kind but those in `LOSSY` can be undone from the broken file alone: the inverse edit is
itself a site of the broken file (`rewrites` builds on that).  Whether tests notice a mutation is not known here.
"""

from __future__ import annotations

import ast
import bisect
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

COMPARE = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",)}
MEMBER = {"is": "is not", "is not": "is", "in": "not in", "not in": "in"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "%", "%": "//", "<<": ">>", ">>": "<<", "&": "|", "|": "&"}
_TWINS = (
    "any all,min max,startswith endswith,lstrip rstrip,lower upper,find rfind,index rindex,split rsplit,keys values,"
    "partition rpartition,ljust rjust,floor ceil,takewhile dropwhile,add discard,pop popleft,append appendleft"
)
TWINS = {a: b for pair in _TWINS.split(",") for a, b in [pair.split(), pair.split()[::-1]]}
MAX_INTEGER = 32
LOSSY = frozenset({"condition", "return"})
KINDS = frozenset(
    {"compare", "member", "bool", "arithmetic", "integer", "boolean", "negate", "swap", "twin", "flow"} | LOSSY
)
_SYMMETRIC_CALLS = frozenset({"min", "max", "isinstance", "issubclass", "hasattr", "print", "zip"})
_WRAPPED = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr)


@dataclass(slots=True, frozen=True, order=True)
class Mutation:
    """Replace `before` by `after` at characters `col` to `end_col` of line `line` (counted from 1)."""

    line: int
    col: int
    kind: str
    after: str
    before: str
    end_col: int


def apply(source: str, mutation: Mutation) -> str:
    """The source with the edit made. Raises ValueError if the text there is not what the mutation expects."""
    lines = source.split("\n")
    if not 0 < mutation.line <= len(lines):
        raise ValueError(f"there is no line {mutation.line}")
    text = lines[mutation.line - 1]
    if text[mutation.col : mutation.end_col] != mutation.before:
        raise ValueError(f"line {mutation.line} does not hold {mutation.before!r} at column {mutation.col}")
    lines[mutation.line - 1] = text[: mutation.col] + mutation.after + text[mutation.end_col :]
    return "\n".join(lines)


def sites(source: str, line: int | None = None) -> list[Mutation]:
    """Every mutation of a module (or of one of its lines), in order. Raises SyntaxError if it does not parse."""
    if re.search(r"\r(?!\n)|\f", source):
        return []  # the parser and a text editor do not agree on what a line is
    tree = ast.parse(source)
    text = _Text(source)
    found = {mutation for node in _live(tree, line) for mutation in _of(node, text)}
    return sorted(m for m in found if m.before != m.after and line in (None, m.line))


class _Text:
    """Source by line and token, for spans: the AST knows neither operators nor parentheses, and counts in bytes."""

    def __init__(self, source: str) -> None:
        self.source, self.lines = source, source.split("\n")

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        wanted = (tokenize.OP, tokenize.NAME)
        return [t for t in tokenize.generate_tokens(io.StringIO(self.source).readline) if t.type in wanted]

    @cached_property
    def starts(self) -> list[tuple[int, int]]:
        return [token.start for token in self.tokens]

    def at(self, line: int, byte: int) -> tuple[int, int]:
        text = self.lines[line - 1]
        return line, byte if text.isascii() else len(text.encode()[:byte].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[tuple[int, int], tuple[int, int]]:
        assert node.end_lineno is not None and node.end_col_offset is not None  # ast.parse sets them
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def between(self, left: ast.expr, right: ast.expr) -> list[tokenize.TokenInfo]:
        """The tokens between two operands, without parentheses."""
        first = bisect.bisect_left(self.starts, self.span(left)[1])
        last = bisect.bisect_left(self.starts, self.span(right)[0])
        return [token for token in self.tokens[first:last] if token.string not in "()"]

    def edit(self, kind: str, start: tuple[int, int], end: tuple[int, int], after: str) -> Iterator[Mutation]:
        if start[0] == end[0]:
            before = self.lines[start[0] - 1][start[1] : end[1]]
            yield Mutation(start[0], start[1], kind, after, before, end[1])

    def get(self, node: ast.expr) -> str | None:
        """The node's text, if it is on one line."""
        (line, col), (end_line, end_col) = self.span(node)
        return self.lines[line - 1][col:end_col] if line == end_line else None

    def parenthesised(self, node: ast.expr) -> bool:
        """Whether a condition, which always follows a keyword, stands in parentheses of its own."""
        return self.tokens[bisect.bisect_left(self.starts, self.span(node)[0]) - 1].string == "("


def _live(node: ast.AST, line: int | None = None, parent: ast.AST | None = None) -> Iterator[ast.AST]:
    """Nodes worth breaking: not annotations, module metadata, type-checking or script-only branches, f-strings."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom) or (line and not _covers(node, line)):
        return
    if isinstance(node, ast.If) and re.search(r"TYPE_CHECKING|__name__", ast.unparse(node.test)):
        for child in node.orelse:
            yield from _live(child, line, node)
        return
    if isinstance(node, ast.Assign) and isinstance(parent, ast.Module) and re.match("__", ast.unparse(node.targets[0])):
        return
    if not (isinstance(node, ast.Constant) and isinstance(parent, ast.While)):  # `while True` would only hang
        yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "type_comment", "type_params"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _live(child, line, node)


def _covers(node: ast.AST, line: int) -> bool:
    if not isinstance(node, ast.stmt | ast.expr):
        return True
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    return bool(first <= line <= (node.end_lineno or line))


def _of(node: ast.AST, text: _Text) -> Iterator[Mutation]:
    match node:
        case ast.Compare():
            for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                yield from _operator(text.between(left, right), text)
        case ast.BoolOp():
            for left, right in zip(node.values, node.values[1:], strict=False):
                (token,) = text.between(left, right)
                yield from text.edit("bool", token.start, token.end, "or" if token.string == "and" else "and")
        case ast.BinOp(left=left, right=right):
            (token,) = text.between(left, right)
            if token.string in ARITHMETIC and not (token.string in "+-%" and (_is_text(left) or _is_text(right))):
                yield from text.edit("arithmetic", token.start, token.end, ARITHMETIC[token.string])
        case ast.AugAssign(target=target, value=value):
            (token,) = text.between(target, value)
            if (sign := token.string[:-1]) in ARITHMETIC and not _is_text(value):
                yield from text.edit("arithmetic", token.start, token.end, ARITHMETIC[sign] + "=")
        case ast.Constant(value=bool()):
            yield from text.edit("boolean", *text.span(node), str(not node.value))
        case ast.Constant(value=int(value)) if value <= MAX_INTEGER and text.get(node) == str(value):
            for other in (value - 1, value + 1):
                if 0 <= other <= MAX_INTEGER:
                    yield from text.edit("integer", *text.span(node), str(other))
        case ast.Call():
            yield from _call(node, text)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from _condition(test, text)
            if isinstance(node, ast.If) and not isinstance(test, ast.Constant):
                for constant in ("False", "True"):
                    yield from text.edit("condition", *text.span(test), constant)
        case ast.comprehension(ifs=ifs):
            for test in ifs:
                yield from _condition(test, text)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield from text.edit("return", *text.span(value), "None")
        case ast.Break() | ast.Continue():
            yield from text.edit("flow", *text.span(node), "continue" if isinstance(node, ast.Break) else "break")


def _operator(tokens: list[tokenize.TokenInfo], text: _Text) -> Iterator[Mutation]:
    sign = " ".join(token.string for token in tokens)
    afters = COMPARE.get(sign) or (MEMBER[sign],)
    if len(tokens) == 1 or tokens[0].end[1] + 1 == tokens[1].start[1]:
        for after in afters:
            yield from text.edit("compare" if sign in COMPARE else "member", tokens[0].start, tokens[-1].end, after)


def _call(node: ast.Call, text: _Text) -> Iterator[Mutation]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in TWINS and text.span(node.func)[1][1] >= len(name):
        line, end = text.span(node.func)[1]
        yield from text.edit("twin", (line, end - len(name)), (line, end), TWINS[name])
    if len(node.args) >= 2 and name not in _SYMMETRIC_CALLS:
        first, second = node.args[:2]
        one, two = text.get(first), text.get(second)
        if one and two and one != two and not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
            (line, start), (_, left_end) = text.span(first)
            (other_line, right), (_, end) = text.span(second)
            if line == other_line:
                middle = text.lines[line - 1][left_end:right]
                yield from text.edit("swap", (line, start), (line, end), two + middle + one)


def _condition(test: ast.expr, text: _Text) -> Iterator[Mutation]:
    """Put `not` before a condition, or take it away; only where the other direction gives back the same text."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    inner = test.operand if isinstance(test, ast.UnaryOp) and negated else test
    whole, grouped = text.get(test), text.parenthesised(test)
    if whole is None or isinstance(inner, ast.Constant):
        return
    start, end = text.span(test)
    if negated:
        operand = text.get(inner)
        if grouped or operand is None or (isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not)):
            return
        if isinstance(inner, _WRAPPED):
            if whole == f"not ({operand})":
                yield from text.edit("negate", start, end, operand)
        elif whole == f"not {operand}" or whole.startswith("not ("):
            yield from text.edit("negate", start, (start[0], start[1] + 4), "")
    elif isinstance(test, _WRAPPED):
        if not grouped:
            yield from text.edit("negate", start, end, f"not ({whole})")
    else:
        line, col = start
        while text.lines[line - 1][:col].endswith("("):
            col -= 1
        if not grouped or text.lines[line - 1][:col].endswith((" ", "\t")):
            yield from text.edit("negate", (line, col), (line, col), "not ")


def _is_text(node: ast.expr) -> bool:
    literal = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return literal or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple)

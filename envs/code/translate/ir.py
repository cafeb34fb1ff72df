"""The little language that programs are made in, and its exact meaning. Printers into real languages are `printers.py`.

Its text is a subset of Python's: functions over whole numbers and arrays of them, `while`, `for` over `range`, `if`.  An
array is made by `[value] * size`; a parameter that is one is marked `: list`.  `//` and `%` round down, `tdiv` and `tmod`
towards zero; `emit(x, ...)` prints numbers on a line, `say(b, k)` the first k elements of b as letters.  The program is the
function `run(a: list, n, s: list, m)`: n numbers and a word of m letters.  Numbers stay within 32 bits and indices within
arrays: `interpret` raises OutOfBounds otherwise, and such a program is none.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LIMIT = 1 << 31
_STEPS = 300_000
_DEPTH = 200
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip
_TESTS: dict[type, Callable[[int, int], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


class OutOfBounds(Exception):
    """A number or an index left its range, a divisor was 0, or the program takes too long."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: int | None) -> None:
        self.value = value


@dataclass(slots=True)
class Function:
    """One function: `arrays` are the names of parameters and locals that are arrays, `locals` those of all locals."""

    name: str
    parameters: list[str]
    arrays: set[str]
    locals: list[str]
    body: list[ast.stmt]
    gives: bool


def parse(text: str) -> list[Function]:
    """The functions of a program, in order."""
    return [_function(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def _function(node: ast.FunctionDef) -> Function:
    parameters = [arg.arg for arg in node.args.args]
    arrays = {arg.arg for arg in node.args.args if arg.annotation is not None}
    found: list[str] = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            found.append(inner.id)
        if isinstance(inner, ast.Assign) and is_new_array(inner.value):
            arrays.add(ast.unparse(inner.targets[0]))
    gives = any(isinstance(inner, ast.Return) and inner.value is not None for inner in ast.walk(node))
    names = sorted(set(found) - set(parameters))
    return Function(node.name, parameters, arrays, names, node.body, gives)


def is_new_array(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.left, ast.List)


def interpret(functions: list[Function], numbers: list[int], word: str) -> str:
    """What the program prints. Raises OutOfBounds."""
    machine = _Machine({function.name: function for function in functions})
    letters = [ord(letter) for letter in word]
    machine.call("run", [list(numbers), len(numbers), letters, len(letters)])
    return "".join(f"{line}\n" for line in machine.lines)


class _Machine:
    def __init__(self, functions: dict[str, Function]) -> None:
        self.functions, self.lines, self.steps, self.depth = functions, list[str](), 0, 0

    def call(self, name: str, arguments: list[Any]) -> Any:
        if name == "emit":
            self.lines.append(" ".join(map(str, arguments)))
            return None
        if name == "say":
            self.lines.append("".join(map(chr, arguments[0][: arguments[1]])))
            return None
        if name in ("tdiv", "tmod"):
            return _truncated(name, *arguments)
        function = self.functions[name]
        scope = dict(zip(function.parameters, arguments, strict=True))
        self.depth += 1
        if self.depth > _DEPTH:
            raise OutOfBounds("calls nest too deeply")
        try:
            self.block(function.body, scope)
        except _Return as returned:
            return returned.value
        finally:
            self.depth -= 1
        return None

    def block(self, statements: list[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in statements:
            self.steps += 1
            if self.steps > _STEPS:
                raise OutOfBounds("the program takes too long")
            getattr(self, f"do_{type(statement).__name__}")(statement, scope)

    def do_Expr(self, node: ast.Expr, scope: dict[str, Any]) -> None:
        self.value(node.value, scope)

    def do_Assign(self, node: ast.Assign, scope: dict[str, Any]) -> None:
        if is_new_array(node.value):
            assert isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.List)
            size = self.value(node.value.right, scope)
            if not 0 <= size <= 100_000:
                raise OutOfBounds(f"an array of {size}")
            made = [self.value(node.value.left.elts[0], scope)] * size
            scope[ast.unparse(node.targets[0])] = made
        else:
            self.store(node.targets[0], self.value(node.value, scope), scope)

    def do_AugAssign(self, node: ast.AugAssign, scope: dict[str, Any]) -> None:
        now = ast.BinOp(_loaded(node.target), node.op, node.value)
        self.store(node.target, self.value(now, scope), scope)

    def store(self, target: ast.expr, value: int, scope: dict[str, Any]) -> None:
        if isinstance(target, ast.Subscript):
            array, index = self.value(target.value, scope), self.value(target.slice, scope)
            if not 0 <= index < len(array):
                raise OutOfBounds(f"index {index}")
            array[index] = value
        else:
            assert isinstance(target, ast.Name)
            scope[target.id] = value

    def do_If(self, node: ast.If, scope: dict[str, Any]) -> None:
        self.block(node.body if self.holds(node.test, scope) else node.orelse, scope)

    def do_While(self, node: ast.While, scope: dict[str, Any]) -> None:
        while self.holds(node.test, scope):
            if self.turn(node.body, scope):
                break

    def do_For(self, node: ast.For, scope: dict[str, Any]) -> None:
        assert isinstance(node.iter, ast.Call)
        for value in range(*(self.value(arg, scope) for arg in node.iter.args)):
            self.store(node.target, value, scope)
            if self.turn(node.body, scope):
                break

    def turn(self, body: list[ast.stmt], scope: dict[str, Any]) -> bool:
        """One turn of a loop; whether it ended the loop."""
        try:
            self.block(body, scope)
        except _Break:
            return True
        except _Continue:
            pass
        return False

    def do_Break(self, node: ast.Break, scope: dict[str, Any]) -> None:
        raise _Break

    def do_Continue(self, node: ast.Continue, scope: dict[str, Any]) -> None:
        raise _Continue

    def do_Return(self, node: ast.Return, scope: dict[str, Any]) -> None:
        raise _Return(None if node.value is None else self.value(node.value, scope))

    def holds(self, node: ast.expr, scope: dict[str, Any]) -> bool:
        if isinstance(node, ast.BoolOp):
            parts = (self.holds(part, scope) for part in node.values)
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        if isinstance(node, ast.UnaryOp):
            return not self.holds(node.operand, scope)
        assert isinstance(node, ast.Compare) and len(node.ops) == 1, ast.unparse(node)
        return _TESTS[type(node.ops[0])](self.value(node.left, scope), self.value(node.comparators[0], scope))

    def value(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return scope[node.id]
            case ast.UnaryOp():
                return -self.value(node.operand, scope)
            case ast.IfExp():
                return self.value(node.body if self.holds(node.test, scope) else node.orelse, scope)
            case ast.Subscript():
                array, index = self.value(node.value, scope), self.value(node.slice, scope)
                if not 0 <= index < len(array):
                    raise OutOfBounds(f"index {index}")
                return array[index]
            case ast.Call():
                assert isinstance(node.func, ast.Name)
                return self.call(node.func.id, [self.value(arg, scope) for arg in node.args])
            case ast.BinOp():
                return _operated(node.op, self.value(node.left, scope), self.value(node.right, scope))
        raise AssertionError(f"not of the language: {ast.unparse(node)}")


def _operated(op: ast.operator, left: int, right: int) -> int:
    if isinstance(op, (ast.FloorDiv, ast.Mod)) and right == 0:
        raise OutOfBounds("division by 0")
    if isinstance(op, (ast.LShift, ast.RShift)) and not (left >= 0 and 0 <= right < 31):
        raise OutOfBounds("a shift")
    result = _OPERATORS[type(op)](left, right)
    if not -_LIMIT < result < _LIMIT:
        raise OutOfBounds(f"the number {result}")
    return result


def _truncated(name: str, left: int, right: int) -> int:
    if right == 0:
        raise OutOfBounds("division by 0")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if name == "tdiv" else left - quotient * right


def _loaded(target: ast.expr) -> ast.expr:
    """A target of `+=` as a value."""
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    assert isinstance(target, ast.Name)
    return ast.Name(target.id, ast.Load())

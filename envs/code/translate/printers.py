"""A program of the little language as C, JavaScript, Java or Python, reading its input as all programs here do.

The input is three lines: n, n numbers, a word.  What rounds otherwise in a language than in `ir.py` becomes a function of
its own, as a careful programmer would write it; only functions that are used are printed.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from agentgym.envs.code.translate.ir import Function, is_new_array

_SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.And: "&&", ast.Or: "||",
}  # fmt: skip


class CLike:
    """What C, JavaScript and Java have in common."""

    number = "int"
    array = "int *"
    equal: ClassVar[dict[str, str]] = {}
    helpers: ClassVar[dict[str, str]] = {}
    head = tail = ""
    indent = ""

    def program(self, functions: list[Function]) -> str:
        """The whole text."""
        self.used: set[str] = set()
        body = "\n".join(self.function(function) for function in functions)
        helpers = "".join(text for name, text in self.helpers.items() if name in self.used)
        whole = "\n".join(self.indent + line if line else "" for line in (helpers + body).rstrip("\n").split("\n"))
        return f"{self.head}{whole}\n{self.tail}"

    def function(self, function: Function) -> str:
        arrays = function.arrays
        declared = [self.declare(name, name in arrays) for name in function.locals]
        lines = [self.title(function), *(f"    {line}" for line in declared), *self.block(function.body, 1), "}", ""]
        return "\n".join(lines)

    def title(self, function: Function) -> str:
        given = ", ".join(self.typed(name, name in function.arrays) for name in function.parameters)
        return f"{self.number if function.gives else 'void'} {function.name}({given}) {{"

    def typed(self, name: str, array: bool) -> str:
        return f"{self.array if array else self.number + ' '}{name}"

    def declare(self, name: str, array: bool) -> str:
        return f"{self.typed(name, array)} = {'NULL' if array else 0};"

    def block(self, statements: list[ast.stmt], depth: int) -> list[str]:
        return ["    " * depth + line for each in statements for line in self.statement(each)]

    def statement(self, node: ast.stmt) -> list[str]:
        match node:
            case ast.Expr():
                return [f"{self.expression(node.value)};"]
            case ast.Assign():
                return [self.assign(node)]
            case ast.AugAssign() if type(node.op) in _SIGNS:
                return [f"{self.expression(node.target)} {_SIGNS[type(node.op)]}= {self.expression(node.value)};"]
            case ast.AugAssign():
                return [f"{self.expression(node.target)} = {self.operation(node.op, node.target, node.value)};"]
            case ast.If():
                return self.branches(node)
            case ast.While():
                return [f"while ({self.condition(node.test)}) {{", *self.block(node.body, 1), "}"]
            case ast.For():
                return [f"for ({self.counting(node)}) {{", *self.block(node.body, 1), "}"]
            case ast.Return():
                return ["return;" if node.value is None else f"return {self.expression(node.value)};"]
        return ["break;" if isinstance(node, ast.Break) else "continue;"]

    def branches(self, node: ast.If) -> list[str]:
        lines = [f"if ({self.condition(node.test)}) {{", *self.block(node.body, 1)]
        if node.orelse:
            lines += ["} else {", *self.block(node.orelse, 1)]
        return [*lines, "}"]

    def counting(self, node: ast.For) -> str:
        assert isinstance(node.iter, ast.Call)
        name, bounds = self.expression(node.target), [self.expression(arg) for arg in node.iter.args]
        low, high = bounds[:2] if len(bounds) > 1 else ("0", bounds[0])
        step = int(bounds[2]) if len(bounds) == 3 else 1
        move = f"{name}++" if step == 1 else f"{name}--" if step == -1 else f"{name} += {step}"
        return f"{name} = {low}; {name} {'<' if step > 0 else '>'} {high}; {move}"

    def assign(self, node: ast.Assign) -> str:
        name = self.expression(node.targets[0])
        if is_new_array(node.value):
            assert isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.List)
            return f"{name} = {self.new_array(node.value.right, node.value.left.elts[0])};"
        return f"{name} = {self.expression(node.value)};"

    def new_array(self, size: ast.expr, fill: ast.expr) -> str:
        self.used.add("new_array")
        return f"new_array({self.expression(size)}, {self.expression(fill)})"

    def condition(self, node: ast.expr) -> str:
        match node:
            case ast.BoolOp():
                sign = f" {_SIGNS[type(node.op)]} "
                return sign.join(self.closed_condition(part) for part in node.values)
            case ast.UnaryOp():
                return f"!({self.condition(node.operand)})"
            case ast.Compare():
                sign = _SIGNS[type(node.ops[0])]
                left, right = self.inner(node.left), self.inner(node.comparators[0])
                return f"{left} {self.equal.get(sign, sign)} {right}"
        raise AssertionError(ast.unparse(node))

    def closed_condition(self, node: ast.expr) -> str:
        return f"({self.condition(node)})" if isinstance(node, ast.BoolOp) else self.condition(node)

    def expression(self, node: ast.expr) -> str:
        match node:
            case ast.Constant():
                return str(node.value)
            case ast.Name():
                return node.id
            case ast.UnaryOp():
                return f"-{self.inner(node.operand)}"
            case ast.IfExp():
                test = self.condition(node.test)
                return f"{test} ? {self.inner(node.body)} : {self.inner(node.orelse)}"
            case ast.Subscript():
                return f"{self.expression(node.value)}[{self.expression(node.slice)}]"
            case ast.Call():
                return self.call(node)
            case ast.BinOp():
                return self.operation(node.op, node.left, node.right)
        raise AssertionError(ast.unparse(node))

    def inner(self, node: ast.expr) -> str:
        """An expression within another."""
        text = self.expression(node)
        return f"({text})" if isinstance(node, (ast.BinOp, ast.IfExp, ast.UnaryOp)) else text

    def operation(self, op: ast.operator, left: ast.expr, right: ast.expr) -> str:
        if isinstance(op, ast.FloorDiv):
            return self.helper("floor_div", left, right)
        if isinstance(op, ast.Mod):
            return self.helper("floor_mod", left, right)
        return f"{self.inner(left)} {_SIGNS[type(op)]} {self.inner(right)}"

    def call(self, node: ast.Call) -> str:
        assert isinstance(node.func, ast.Name)
        match node.func.id:
            case "tdiv":
                return self.truncated("/", *node.args)
            case "tmod":
                return self.truncated("%", *node.args)
            case "emit":
                return self.emit(node.args)
            case "say":
                return self.helper("say", *node.args)
            case name:
                return f"{name}({', '.join(self.expression(arg) for arg in node.args)})"

    def helper(self, name: str, *args: ast.expr) -> str:
        self.used.add(name)
        return f"{name}({', '.join(self.expression(arg) for arg in args)})"

    def truncated(self, sign: str, left: ast.expr, right: ast.expr) -> str:
        return f"({self.inner(left)} {sign} {self.inner(right)})"

    def emit(self, args: list[ast.expr]) -> str:
        raise NotImplementedError


class C(CLike):
    head = "#include <stdio.h>\n#include <stdlib.h>\n\n"
    helpers: ClassVar[dict[str, str]] = {
        "floor_div": "static int floor_div(int x, int y) {\n    int q = x / y;\n"
        "    return (x % y != 0 && (x < 0) != (y < 0)) ? q - 1 : q;\n}\n\n",
        "floor_mod": "static int floor_mod(int x, int y) {\n    int r = x % y;\n"
        "    return (r != 0 && (r < 0) != (y < 0)) ? r + y : r;\n}\n\n",
        "new_array": "static int *new_array(int size, int fill) {\n    int *made = malloc((size + 1) * sizeof(int));\n"
        "    for (int i = 0; i < size; i++) {\n        made[i] = fill;\n    }\n    return made;\n}\n\n",
        "say": "static void say(int *codes, int count) {\n    for (int i = 0; i < count; i++) {\n        putchar(codes[i]);\n"
        "    }\n    putchar('\\n');\n}\n\n",
    }
    tail = """
int main(void) {
    static int numbers[1000], codes[1000];
    static char word[1000];
    int n = 0, m = 0;
    if (scanf("%d", &n) != 1) {
        return 1;
    }
    for (int i = 0; i < n; i++) {
        if (scanf("%d", &numbers[i]) != 1) {
            return 1;
        }
    }
    if (scanf("%999s", word) != 1) {
        return 1;
    }
    for (; word[m]; m++) {
        codes[m] = word[m];
    }
    run(numbers, n, codes, m);
    return 0;
}
"""

    def emit(self, args: list[ast.expr]) -> str:
        return f'printf("{" ".join(["%d"] * len(args))}\\n", {", ".join(self.expression(arg) for arg in args)})'


class Java(CLike):
    array = "int[] "
    indent = "    "
    head = "import java.util.Arrays;\nimport java.util.Scanner;\n\npublic class Main {\n"
    helpers: ClassVar[dict[str, str]] = {
        "new_array": "static int[] new_array(int size, int fill) {\n    int[] made = new int[size];\n"
        "    Arrays.fill(made, fill);\n    return made;\n}\n\n",
        "say": "static void say(int[] codes, int count) {\n    StringBuilder text = new StringBuilder();\n"
        "    for (int i = 0; i < count; i++) {\n        text.append((char) codes[i]);\n    }\n"
        "    System.out.println(text);\n}\n\n",
    }
    tail = """
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        int[] numbers = new int[n];
        for (int i = 0; i < n; i++) {
            numbers[i] = in.nextInt();
        }
        int[] codes = in.next().chars().toArray();
        run(numbers, n, codes, codes.length);
    }
}
"""

    def title(self, function: Function) -> str:
        return f"static {super().title(function)}"

    def declare(self, name: str, array: bool) -> str:
        return f"{self.typed(name, array)} = {'null' if array else 0};"

    def helper(self, name: str, *args: ast.expr) -> str:
        library = {"floor_div": "Math.floorDiv", "floor_mod": "Math.floorMod"}
        return super().helper(library.get(name, name), *args)

    def emit(self, args: list[ast.expr]) -> str:
        text = ' + " " + '.join(self.inner(arg) for arg in args)
        return f"System.out.println({text})"


class JavaScript(CLike):
    equal: ClassVar[dict[str, str]] = {"==": "===", "!=": "!=="}
    helpers: ClassVar[dict[str, str]] = {
        "floorMod": "function floorMod(x, y) {\n    return ((x % y) + y) % y;\n}\n\n",
        "say": "function say(codes, count) {\n    console.log(String.fromCharCode(...codes.slice(0, count)));\n}\n\n",
    }
    tail = """
const lines = require("fs").readFileSync(0, "utf8").split("\\n");
const numbers = lines[1].split(" ").map(Number);
const codes = Array.from(lines[2].trim(), (letter) => letter.charCodeAt(0));
run(numbers, Number(lines[0]), codes, codes.length);
"""

    def title(self, function: Function) -> str:
        return f"function {function.name}({', '.join(function.parameters)}) {{"

    def declare(self, name: str, array: bool) -> str:
        return f"let {name} = {'null' if array else 0};"

    def new_array(self, size: ast.expr, fill: ast.expr) -> str:
        return f"new Array({self.expression(size)}).fill({self.expression(fill)})"

    def operation(self, op: ast.operator, left: ast.expr, right: ast.expr) -> str:
        if isinstance(op, ast.FloorDiv):
            return f"Math.floor({self.inner(left)} / {self.inner(right)})"
        if isinstance(op, ast.Mod):
            return self.helper("floorMod", left, right)
        return super().operation(op, left, right)

    def truncated(self, sign: str, left: ast.expr, right: ast.expr) -> str:
        text = super().truncated(sign, left, right)
        return f"Math.trunc{text}" if sign == "/" else text

    def emit(self, args: list[ast.expr]) -> str:
        return f'console.log([{", ".join(self.expression(arg) for arg in args)}].join(" "))'


class Python:
    """The language's text is Python already, but for its own functions."""

    head = "import sys\n\n\n"
    helpers: ClassVar[dict[str, str]] = {
        "tdiv": "def tdiv(x, y):\n    q = abs(x) // abs(y)\n    return q if (x < 0) == (y < 0) else -q\n\n\n",
        "tmod": "def tmod(x, y):\n    r = abs(x) % abs(y)\n    return -r if x < 0 else r\n\n\n",
        "say": 'def say(codes, count):\n    print("".join(map(chr, codes[:count])))\n\n\n',
    }
    tail = """
lines = sys.stdin.read().split("\\n")
numbers = [int(word) for word in lines[1].split()]
codes = [ord(letter) for letter in lines[2].strip()]
run(numbers, int(lines[0]), codes, len(codes))
"""

    def program(self, functions: list[Function]) -> str:
        body = "\n\n".join(self.function(function) for function in functions)
        helpers = "".join(text for name, text in self.helpers.items() if f"{name}(" in body)
        return f"{self.head}{helpers}{body}\n{self.tail}"

    def function(self, function: Function) -> str:
        lines = [f"def {function.name}({', '.join(function.parameters)}):"]
        for statement in function.body:
            lines += [f"    {line}" for line in ast.unparse(statement).split("\n")]
        return "\n".join(lines).replace("emit(", "print(") + "\n"


PRINTERS: dict[str, type[CLike] | type[Python]] = {"python": Python, "c": C, "javascript": JavaScript, "java": Java}

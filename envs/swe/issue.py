"""The problem statement of a one-line bug, from a template and what the failing test said. Pure text.

`detail` says how close it leads: "message" only what is seen to go wrong, "module" also the module, "function" also the
function.  Never the line, never the edit.
"""

from __future__ import annotations

import ast
import random
import re
from typing import Literal

from agentgym.envs.swe.cache import digest

Detail = Literal["message", "module", "function"]
_MOST = 300
_SUBJECTS = {
    "message": ("Something in {package} is broken.", "{package} misbehaves since the last change.", "There is a bug in {package}."),
    "module": ("Something in `{module}` is broken.", "`{module}` misbehaves since the last change.", "There is a bug in `{module}`."),
    "function": ("`{function}` in `{module}` gives wrong results.", "`{module}`: `{function}` is broken.", "There is a bug in `{function}` (module `{module}`)."),
}  # fmt: skip
_EVIDENCE = (
    "The check `{test}` fails{said}.",
    "It shows in the check `{test}`, which fails{said}.",
    "One of the checks that used to pass, `{test}`, now fails{said}.",
)
_COUNT = ("Checks that fail in all: {failing}.", "In all, {failing} checks fail.", "It is one of {failing} that fail.")
_GOALS = ("Find the mistake and repair it.", "Please fix it.", "Repair the source so that it works again.")


def statement(
    package: str, module: str, function: str, test: str, message: str, failing: int, detail: Detail, seed: str
) -> str:
    """The statement; the same seed gives the same phrasing."""
    draw = random.Random(digest("statement", seed))
    said = quoted(message)
    parts = [
        draw.choice(_SUBJECTS[detail if function or detail != "function" else "module"]),
        draw.choice(_EVIDENCE),
        draw.choice(_COUNT) if failing > 1 else "",
        draw.choice(_GOALS),
    ]
    names = {
        "package": package, "module": module, "function": function, "test": test, "failing": str(failing),
        "said": f" with\n\n    {said}\n\n" if said else "",
    }  # fmt: skip
    return re.sub(r"\n\n\.\s*", "\n\n", " ".join(part.format(**names) for part in parts if part))


def quoted(message: str) -> str:
    """What a failing test said, cut to a few lines, without where in the source it happened."""
    lines = [line for line in message.strip().splitlines() if not re.match(r"\s*\+?\s*(where|and) .* at 0x", line)]
    text = "\n    ".join(lines[:6])
    return text if len(text) <= _MOST else text[:_MOST].rstrip() + " ..."


def function_at(source: str, line: int) -> str:
    """The dotted name of the function or class around a line; empty at module level."""
    name = ""

    def visit(node: ast.AST, outer: str) -> None:
        nonlocal name
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                if first <= line <= (child.end_lineno or 0):
                    name = f"{outer}{child.name}"
                    visit(child, f"{name}.")
            else:
                visit(child, outer)

    visit(ast.parse(source), "")
    return name


def module_at(path: str, import_root: str) -> str:
    """The dotted name of a source file's module."""
    relative = path if import_root == "." else path.removeprefix(f"{import_root}/")
    return relative.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

"""One tactic of Lean 4 as a step of a proof, and what no step may hold. Knows no REPL.

The REPL reads a step as a tactic and nothing else; a file would go on to a command after it.  So that both see the same
proof, what begins a command or runs a program while Lean elaborates is refused by its word, wherever it stands.
"""

from __future__ import annotations

import re

from agentgym.errors import ToolError

MOST_CHARS = 100_000
STANDARD = ("propext", "Classical.choice", "Quot.sound")
"""What proofs may rest on: the axioms of Lean's own logic, and of all of Mathlib."""
_TOKEN = re.compile(r'--[^\n]*|/-|r(#*)".*?"\1|"(?:\\.|[^"\\])*"|«[^»\n]*»|[^\W\d][\w\'!?₀-₉]*|<;>|\S|\n', re.DOTALL)
_PAIRS = {")": "(", "]": "[", "}": "{", "⟩": "⟨"}
GIVING_UP = frozenset({"sorry", "admit", "sorryAx", "stop"})
UNCHECKED = frozenset({"native_decide", "native", "ofReduceBool", "reduceBool", "ofReduceNat", "trustCompiler", "implemented_by", "unsafe"})  # fmt: skip
RUNNING = frozenset({"run_tac", "run_cmd", "run_elab", "run_meta", "by_elab", "dbg_trace", "eval", "elab", "IO", "unsafeIO", "set_option"})  # fmt: skip
COMMANDS = frozenset(
    re.findall(
        r"\w+",
        "axiom theorem lemma def abbrev instance opaque inductive structure class example macro macro_rules notation syntax "
        "infix infixl infixr prefix postfix declare_syntax_cat attribute namespace section end import export initialize "
        "builtin_initialize variable universe mutual deriving private protected noncomputable partial elab_rules extern",
    )
)
_REFUSED = GIVING_UP | UNCHECKED | RUNNING | COMMANDS


def as_tactic(text: str) -> str:
    """`text` without blanks around it, if it is one tactic. Raises ToolError saying why it is none.

    Further lines belong to it if they are indented; `<;>` makes one tactic of two, `;` does not.
    """
    if len(text) > MOST_CHARS:
        raise ToolError(f"a step has at most {MOST_CHARS} characters, this one has {len(text)}")
    if bad := next((c for c in text if (c < " " and c != "\n") or "\ud800" <= c <= "\udfff"), None):
        raise ToolError(f"a step is text: it can not hold the character {bad!r}")
    step = text.strip()
    if not step:
        raise ToolError("a step is one tactic; here there is none")
    _look(step)
    return step


def _look(step: str) -> None:
    opened: list[str] = []
    at = 0
    while match := _TOKEN.search(step, at):
        token, at = match[0], match.end()
        if token == "/-":
            at = _after_comment(step, at)
        elif token in _REFUSED or token == "#":
            raise ToolError(f"{token!r} is not for steps of a proof")
        elif token == '"':
            raise ToolError("a string is not closed")
        elif token in _PAIRS.values():
            opened.append(token)
        elif token in _PAIRS and (not opened or opened.pop() != _PAIRS[token]):
            raise ToolError(f"{token!r} closes nothing")
        elif token == ";" and not opened:
            raise ToolError("a step is exactly one tactic: `;` makes it two")
        elif token == "\n" and at < len(step) and not step[at].isspace() and not opened:
            raise ToolError("a step is exactly one tactic: a line that is not indented begins another")
    if opened:
        raise ToolError(f"{opened[-1]!r} is not closed")


def _after_comment(text: str, at: int) -> int:
    depth = 1
    for match in re.compile(r"/-|-/").finditer(text, at):
        depth += 1 if match[0] == "/-" else -1
        if depth == 0:
            return match.end()
    raise ToolError("a comment is not closed")

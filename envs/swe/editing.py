"""What the editing tools do to a text, and how a text is shown. Pure: reads and writes no file.

Every mistake is a ToolError that tells the agent what to do next.  Lines are counted from 1 and end at a line feed.
"""

from __future__ import annotations

from agentgym.envs.swe.diffs import split_lines
from agentgym.errors import ToolError


def numbered(text: str, start: int | None, end: int | None, most: int) -> str:
    """Lines `start` to `end` with their numbers: at most `most` of them, saying how many there are."""
    lines = split_lines(text)
    if not lines:
        return "(empty file)"
    first = 1 if start is None else start
    last = len(lines) if end is None else min(end, len(lines))
    if not 1 <= first <= len(lines) or last < first:
        raise ToolError(f"lines {first} to {end if end is not None else 'the end'}: the file has {len(lines)} lines")
    shown = min(last, first + most - 1)
    width = len(str(shown))
    rows = [f"{number:>{width}}\t{lines[number - 1].rstrip(chr(10))}" for number in range(first, shown + 1)]
    if (first, shown) != (1, len(lines)):
        rows.append(f"[lines {first} to {shown} of {len(lines)}]")
    return "\n".join(rows)


def replace_once(text: str, old: str, new: str) -> str:
    """`text` with its only occurrence of `old` replaced."""
    if not old:
        raise ToolError("old_str is empty: use insert to add lines, or create to write a file")
    count = text.count(old)
    if count == 1:
        return text.replace(old, new)
    if count:
        places: list[str] = []
        at = -1
        while len(places) < 10 and (at := text.find(old, at + 1)) >= 0:
            places.append(str(text.count("\n", 0, at) + 1))
        raise ToolError(f"old_str stands {count} times, at lines {', '.join(places)}: add lines around it")
    squeezed = " ".join(old.split())
    near = [str(n) for n, line in enumerate(text.split("\n"), 1) if squeezed and squeezed == " ".join(line.split())]
    hint = f" (line {near[0]} differs only in white space)" if near else ""
    raise ToolError(f"old_str is not in the file{hint}: copy it exactly, with its indentation and without line numbers")


def insert_after(text: str, line: int, new: str) -> str:
    """`text` with `new` as lines of its own after line `line` (0: at the top)."""
    lines = split_lines(text)
    if not 0 <= line <= len(lines):
        raise ToolError(f"line {line}: the file has {len(lines)} lines; 0 inserts at the top")
    if line and not lines[line - 1].endswith("\n"):
        lines[line - 1] += "\n"
    lines.insert(line, new if new.endswith("\n") else new + "\n")
    return "".join(lines)


def replace_lines(text: str, line: int, new: str, last: int | None = None) -> str:
    """`text` with lines `line` to `last` (the same one if not given) replaced by `new`; an empty `new` deletes."""
    lines = split_lines(text)
    last = line if last is None else last
    if not 1 <= line <= last <= len(lines):
        raise ToolError(f"lines {line} to {last}: the file has {len(lines)} lines")
    if new and not new.endswith("\n") and lines[last - 1].endswith("\n"):
        new += "\n"
    return "".join([*lines[: line - 1], new, *lines[last:]])


def line_at(text: str, line: int) -> str:
    """One line without its line feed."""
    lines = split_lines(text)
    if not 1 <= line <= len(lines):
        raise ToolError(f"line {line}: the file has {len(lines)} lines")
    return lines[line - 1].removesuffix("\n")


def around(text: str, line: int, count: int = 1, margin: int = 3) -> str:
    """A few numbered lines around a change, to be shown after it."""
    total = len(split_lines(text))
    if not total:
        return "(the file is empty now)"
    first = min(max(1, line - margin), total)
    return numbered(text, first, min(total, line + max(count, 1) - 1 + margin), 40)

"""Unified diffs as plain text: made, parsed and applied in memory. Runs no git and touches no file.

An agent's workspace is hostile ground for tools that read configuration, attributes or hooks; so this small reader
takes what `git diff` writes (no renames, no binary content) and nothing else.  Lines end at a line feed only.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = "\\ No newline at end of file"
_LINKS = ("120000", "160000")  # git's modes of a symbolic link and of a submodule


class PatchError(ValueError):
    """A patch that can not be read or does not fit. The message says where."""


@dataclass(slots=True)
class Hunk:
    """One change: `old` lines from line `start` (1-based) become `new`. Lines keep their line feed."""

    start: int
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FilePatch:
    """What a patch does to one file. `body` is its hunks as text; `kind` says what could not be taken as text."""

    path: str
    kind: str = "text"  # "text", "binary" or "link"
    created: bool = False
    deleted: bool = False
    hunks: list[Hunk] = field(default_factory=list)
    body: str = ""


def split_lines(text: str) -> list[str]:
    """The lines of `text`, each with its line feed (`str.splitlines` also breaks at form feeds and the like)."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def make(path: str, before: str | None, after: str | None) -> str:
    """The diff of one file in git's format; None: there is no such file. Empty if nothing changed."""
    if before == after:
        return ""
    name = f"{path}\t" if " " in path else path
    head = f"diff --git a/{path} b/{path}\n"
    if before is None:
        head += "new file mode 100644\n"
    if after is None:
        head += "deleted file mode 100644\n"
    old, new = split_lines(before or ""), split_lines(after or "")
    lines = list(difflib.unified_diff(old, new))[2:]
    if not lines:
        return head
    body = "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}\n" for line in lines)
    source = "/dev/null" if before is None else f"a/{name}"
    target = "/dev/null" if after is None else f"b/{name}"
    return f"{head}--- {source}\n+++ {target}\n{body}"


def parse(text: str) -> list[FilePatch]:
    """Every file that a patch touches. Raises PatchError for what is not a patch."""
    files: list[FilePatch] = []
    reader = _Reader(text)
    while reader.left:
        if reader.peek.startswith("diff --git "):
            files.append(_git_file(reader))
        elif reader.peek.startswith("--- ") and reader.ahead.startswith("+++ "):
            files.append(_plain_file(reader, FilePatch("")))
        else:
            reader.take()
    if text.strip() and not files:
        raise PatchError("there is no file header in it: it is not a unified diff")
    return files


def apply(patch: FilePatch, before: str | None) -> str | None:
    """The file's content after `patch`; None if it is deleted. Raises PatchError if it does not fit `before`."""
    if patch.created and before is not None:
        raise PatchError(f"{patch.path} is created by the patch but is there already")
    if not patch.created and before is None:
        raise PatchError(f"{patch.path} is changed by the patch but there is no such file")
    lines, done, shift = split_lines(before or ""), 0, 0
    for number, hunk in enumerate(patch.hunks, 1):
        wanted = max(hunk.start - 1, 0) + shift
        at = _locate(lines, hunk.old, wanted, done)
        if at is None:
            raise PatchError(f"hunk {number} of {patch.path} (line {hunk.start}) does not match the file")
        lines[at : at + len(hunk.old)] = hunk.new
        done = at + len(hunk.new)
        shift += at - wanted + len(hunk.new) - len(hunk.old)
    after = "".join(lines)
    if patch.deleted:
        if after:
            raise PatchError(f"{patch.path} is deleted by the patch but has other content")
        return None
    return after


def _locate(lines: list[str], old: list[str], wanted: int, low: int) -> int | None:
    """The place nearest to `wanted`, not before `low`, where `old` stands."""
    if not old:
        return wanted if low <= wanted <= len(lines) else None
    if wanted >= low and lines[wanted : wanted + len(old)] == old:
        return wanted
    found = [at for at in range(low, len(lines) - len(old) + 1) if lines[at : at + len(old)] == old]
    return min(found, key=lambda at: abs(at - wanted), default=None)


class _Reader:
    def __init__(self, text: str) -> None:
        self._lines = split_lines(text)
        self._at = 0

    @property
    def left(self) -> bool:
        return self._at < len(self._lines)

    @property
    def peek(self) -> str:
        return self._lines[self._at] if self.left else ""

    @property
    def ahead(self) -> str:
        return self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""

    def take(self) -> str:
        self._at += 1
        return self._lines[self._at - 1]


def _git_file(reader: _Reader) -> FilePatch:
    names = reader.take()[len("diff --git ") :].rstrip("\n")
    half = len(names) // 2
    if names[:half] and names[2:half] == names[half + 3 :] and names[half : half + 3] == " b/":
        patch = FilePatch(names[2:half])
    else:
        raise PatchError(f"renames and quoted names are not taken: {names!r}")
    while reader.left and not reader.peek.startswith(("diff --git ", "--- ", "@@ ")):
        line = reader.take().rstrip("\n")
        patch.created |= line.startswith("new file mode ")
        patch.deleted |= line.startswith("deleted file mode ")
        if line.startswith(("rename ", "copy ")):
            raise PatchError(f"renames and copies are not taken: {patch.path}")
        if line.startswith(("Binary files ", "GIT binary patch")):
            patch.kind = "binary"
        elif "mode " in line and line.endswith(_LINKS):
            patch.kind = "link"
    return _plain_file(reader, patch) if reader.peek.startswith("--- ") else patch


def _plain_file(reader: _Reader, patch: FilePatch) -> FilePatch:
    source, target = _name(reader.take()), _name(reader.take() if reader.left else "")
    patch.created |= source == "/dev/null"
    patch.deleted |= target == "/dev/null"
    name = (source if patch.deleted else target)[2:]
    if patch.path and name != patch.path:
        raise PatchError(f"the headers of {patch.path!r} disagree: {name!r}")
    if not name or (patch.created and patch.deleted):
        raise PatchError("a file header names no file")
    patch.path = name
    while match := _HUNK.match(reader.peek):
        header = reader.take()
        hunk, text = _hunk(reader, patch.path, [int(g) if g else 1 for g in match.groups()])
        patch.hunks.append(hunk)
        patch.body += header + text
    return patch


def _name(line: str) -> str:
    return line[4:].rstrip("\n").split("\t")[0]


def _hunk(reader: _Reader, path: str, numbers: list[int]) -> tuple[Hunk, str]:
    start, old_count, _, new_count = numbers
    hunk, text, previous = Hunk(start + 1 if old_count == 0 else start), "", ""
    while len(hunk.old) < old_count or len(hunk.new) < new_count or reader.peek.startswith("\\"):
        if not reader.left:
            raise PatchError(f"the patch ends in the middle of a hunk of {path}")
        line = reader.take()
        text += line
        mark, rest = line[:1], line[1:]
        if mark == "\\":
            for side in _last_sides(previous, hunk):
                side[-1] = side[-1].removesuffix("\n")
        elif mark in (" ", "\n", "-", "+"):
            rest = "\n" if mark == "\n" else rest
            if mark != "+":
                hunk.old.append(rest)
            if mark != "-":
                hunk.new.append(rest)
        else:
            raise PatchError(f"a hunk of {path} has a line that starts with {mark!r}")
        previous = mark
    if len(hunk.old) != old_count or len(hunk.new) != new_count:
        raise PatchError(f"a hunk of {path} has other line counts than its header says")
    return hunk, text


def _last_sides(mark: str, hunk: Hunk) -> list[list[str]]:
    sides = {"-": [hunk.old], "+": [hunk.new]}.get(mark, [hunk.old, hunk.new])
    return [side for side in sides if side]

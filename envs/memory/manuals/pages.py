"""Manual pages as plain lines and entries: just enough of the man macros for definition lists. No typesetting.

An entry is a tagged paragraph (.TP): its name is the tag's first word, its gist the first sentence of what follows.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

_ESCAPES = (
    (re.compile(r'\\".*'), ""),
    (re.compile(r"\\f(?:\[\w*\]|\(..|.)"), ""),
    (re.compile(r"\\s[+-]?\d"), ""),
    (re.compile(r"\\\*\((?:lq|rq)|\\\((?:lq|rq|dq)|\\\[(?:lq|rq|dq)\]"), '"'),
    (re.compile(r"\\\((?:aq|cq|oq)|\\\[(?:aq|cq|oq)\]"), "'"),
    (re.compile(r"\\\(em|\\\[em\]"), "--"),
    (re.compile(r"\\\(bu|\\\[bu\]"), "*"),
    (re.compile(r"\\\(co|\\\[co\]"), "(c)"),
    (re.compile(r"\\[-]"), "-"),
    (re.compile(r"\\[ 0~]"), " "),
    (re.compile(r"\\[&|^%/,:)]"), ""),
    (re.compile(r"\\e|\\\(rs|\\\[rs\]"), "\\\\"),
    (re.compile(r"\\\[[^\]]*\]|\\\(.."), "?"),
)
_FONTS = {"B", "I", "BR", "IR", "RB", "RI", "BI", "IB", "SM", "SB"}
_SKIPPED = re.compile(r"\.(TS|EX|nf)\b")
_UNTIL = {"TS": ".TE", "EX": ".EE", "nf": ".fi"}
_SENTENCE = re.compile(r"(.+?[.;:])(?= |$)")
_NAME = re.compile(r"[\w/.+:$@%&*<>=-]{2,40}")


@dataclass(slots=True)
class Entry:
    """`line` is its place in the page's lines; `section` the heading above it."""

    name: str
    gist: str
    line: int
    section: str


@dataclass(slots=True)
class Page:
    """One manual page. `lines` are paragraphs, each beginning with the page's name."""

    name: str
    lines: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def parse(name: str, source: str) -> Page:
    """The page `name`, such as "capabilities(7)", from its roff source."""
    page, section, tag = Page(name), "", ""
    text: list[str] = []
    waits = False

    def close() -> None:
        nonlocal tag
        said = " ".join(" ".join(text).split())
        if said and tag:
            _add_entry(page, tag, said, section)
        elif said:
            page.lines.append(f"{name}: {said}")
        text.clear()
        tag = ""

    for line in _without_tables(source.split("\n")):
        macro, _, rest = line[1:].partition(" ") if line.startswith(".") else ("", "", line)
        if macro in ("SH", "SS"):
            close()
            section = _plain(rest).strip('" ')
        elif macro in ("TP", "TQ"):
            close()
            waits = True
        elif macro in ("PP", "P", "LP", "IP", "RS", "RE", "HP"):
            close()
        elif macro in _FONTS or not macro:
            said = _fonts(macro, rest) if macro else _plain(rest)
            if waits and said.strip():
                tag, waits = said.strip(), False
            elif said.strip():
                text.append(said.strip())
    close()
    return page


def _add_entry(page: Page, tag: str, said: str, section: str) -> None:
    page.lines.append(f"{page.name}: {tag}: {said}")
    name = tag.split(" ")[0].strip(",;:")
    found = _SENTENCE.match(said)
    gist = found[1] if found else said
    if _NAME.fullmatch(name) and 4 <= len(gist.split()) <= 40 and "|" not in gist:
        page.entries.append(Entry(name, gist, len(page.lines) - 1, section))


def _without_tables(lines: list[str]) -> list[str]:
    """Leaves out tables, examples and what is not filled."""
    kept, until = [], ""
    for line in lines:
        if until:
            until = "" if line.startswith(until) else until
        elif found := _SKIPPED.match(line):
            until = _UNTIL[found[1]]
        elif not line.startswith(('.\\"', "'", ".if", ".de", ".ds", ".tr")):
            kept.append(line)
    return kept


def _fonts(macro: str, rest: str) -> str:
    """The arguments of a font macro; those of alternating fonts are joined without spaces."""
    try:
        words = shlex.split(rest.replace("\\", "\\\\").replace("'", "\\'"), posix=True)
    except ValueError:
        words = rest.replace('"', "").split()
    return _plain(("" if len(macro) == 2 and macro != "SM" else " ").join(words))


def _plain(text: str) -> str:
    for pattern, better in _ESCAPES:
        text = pattern.sub(better, text)
    return text

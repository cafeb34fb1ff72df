"""What the programs of Coq are called where boxes look: Rocq, which is Coq from version 9 on, has other names for some."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

_IDE = (("coqidetop.opt",), ("coqidetop",), ("rocqidetop",))
_TOP = (("coqtop",), ("rocq", "top"))
_COMPILE = (("coqc",), ("rocq", "compile"))
_CHECK = (("coqchk",), ("rocqchk",), ("rocq", "check"))
NAMES = sorted({each[0] for kind in (_IDE, _TOP, _COMPILE, _CHECK) for each in kind})
Words = tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Programs:
    """Command lines without arguments: the server that is talked to, the toplevel, the compiler, the second checker.

    `version`: such as "8.16.1" or "9.0.0".
    """

    ide: Words
    top: Words
    compile: Words
    check: Words
    version: str


LOOK = (
    "coq=$(command -v coqc || command -v rocq) || exit 1; "
    'for each in "$@"; do test -x "${coq%/*}/$each" && echo "$each"; done; echo; "$coq" --print-version'
)
"""A script for a box, with NAMES as arguments; looks in one folder, so that all are of one version."""


def chosen(said: str) -> Programs | None:
    """The programs that LOOK found; None if one is missing."""
    names, _, version = said.partition("\n\n")
    there = set(names.split())
    picked = [_first(kind, there) for kind in (_IDE, _TOP, _COMPILE, _CHECK)]
    if not version.split() or not all(picked):
        return None
    ide, top, compile_, check = picked
    return Programs(ide, top, compile_, check, version.split()[0])


def _first(kind: tuple[Words, ...], there: Collection[str]) -> Words:
    return next((words for words in kind if words[0] in there), ())

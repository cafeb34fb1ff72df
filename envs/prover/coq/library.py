"""Coq's standard library as it lies on this machine: its files, and the theorems that are stated and proved in them.

Reads text only; whether a proof replays is for `generate.py` to find out.  Nothing of the text is ever committed.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agentgym.envs.prover.sentences import as_step, split
from agentgym.errors import TaskError, ToolError

STATED = re.compile(
    r"(?:#\[[^\]]*\]\s*)*(?:(?:Local|Global|Polymorphic|Monomorphic)\s+)*"
    r"(?:Theorem|Lemma|Fact|Remark|Corollary|Proposition|Property)\s+([^\W\d][\w']*)"
)
_ENDS = ("Qed.", "Defined.")


@dataclass(slots=True, frozen=True)
class Theorem:
    """`header_end` is where the text before the statement ends; `steps` is the library's own proof."""

    name: str
    header_end: int
    statement: str
    steps: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class LibraryFile:
    """One .v file. `module` is its logical name, "Coq.Arith.Even"."""

    module: str
    text: str
    theorems: tuple[Theorem, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@functools.cache
def coq_version() -> str:
    """Such as "8.16.1". Raises TaskError, saying what to install, if there is no Coq."""
    return _asked("--print-version").split()[0]


@functools.cache
def theories() -> Path:
    """The folder of the library's sources. Raises TaskError if they are not there."""
    folder = Path(_asked("-where").strip()) / "theories"
    if not (folder / "Init" / "Nat.v").exists():
        raise TaskError(f"{folder} holds no sources of Coq's library: apt-get install libcoq-stdlib")
    return folder


def modules() -> list[str]:
    """All modules of the library but those of Init, which are compiled without themselves."""
    found = (path.relative_to(theories()).with_suffix("") for path in theories().rglob("*.v"))
    return sorted(".".join(("Coq", *path.parts)) for path in found if path.parts[0] != "Init")


@functools.lru_cache(maxsize=64)
def read(module: str) -> LibraryFile:
    """The file of `module`. Raises TaskError if there is none or it can not be split into sentences."""
    path = theories().joinpath(*module.split(".")[1:]).with_suffix(".v")
    try:
        text = path.read_text("utf-8")
        sentences = split(text)
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: {error}") from None
    texts = [sentence.text for sentence in sentences]
    found = []
    for index, sentence in enumerate(sentences):
        steps = _proof(texts, index)
        if steps and (stated := STATED.match(sentence.text)):
            found.append(Theorem(stated[1], sentence.start, sentence.text, steps))
    return LibraryFile(module, text, tuple(found))


def _proof(texts: list[str], index: int) -> tuple[str, ...]:
    """The steps after the statement at `index`; () if it has no proof of steps that an agent may use."""
    if not STATED.match(texts[index]) or texts[index + 1 : index + 2] != ["Proof."]:
        return ()
    steps: list[str] = []
    for text in texts[index + 2 :]:
        if text in _ENDS:
            return tuple(steps)
        try:
            as_step(text)
        except ToolError:
            return ()
        steps.append(text)
    return ()


def _asked(option: str) -> str:
    program = shutil.which("coqc") or shutil.which("rocq")
    if program is None:
        raise TaskError("there is no Coq on this machine: apt-get install coq")
    return subprocess.run([program, option], capture_output=True, text=True, check=True, timeout=60).stdout

"""Problems in Lean 4 from files that the user has: miniF2F's and PutnamBench's forms. Ships none of them.

A .jsonl file has a problem a line: `name`, `formal_statement` (ends with `:= by`, with or without `sorry`), and `header`;
`split` where there is one.  A folder has .lean files: the last theorem whose proof is `sorry` is the problem, all before it
the header.  PutnamBench leaves the answer open as `abbrev NAME_solution : T := sorry`, followed by the answer in a comment
(`-- ANSWER`): it is put in, since a proof about an open answer proves nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from agentgym.envs.prover.lean.steps import STANDARD
from agentgym.errors import TaskError
from agentgym.tasks import SPLITS, Task, TaskList

ENV = "prover/lean-files-v0"
_THEOREM = re.compile(r"^(?:(?:private|protected|noncomputable)\s+)*(?:theorem|lemma)\s+([^\s:({\[]+)", re.MULTILINE)
_OPEN = re.compile(r":=\s*(?:by\s*)?(?:sorry\s*)?\Z")
_ANSWER = re.compile(r"^((?:noncomputable\s+)?abbrev\s+[^\n]*?:=\s*)sorry[^\S\n]*\n--[^\S\n]*([^\n]+)$", re.MULTILINE)
_END = re.compile(r"\nend(?:[ \t][^\n]*)?\s*\Z")
_SPLITS = {"valid": "validation", "val": "validation"}


def load(path: Path, split_name: str = "test") -> TaskList:
    """A task for every problem, by its name. Raises TaskError naming the file and line that holds none."""
    if split_name not in SPLITS:
        raise TaskError(f"no split {split_name!r}: there are {', '.join(SPLITS)}")
    tasks = _of_lines(path, split_name) if path.is_file() else _of_folder(path, split_name)
    if not tasks:
        raise TaskError(f"{path} holds no problems: a .jsonl file or a folder of .lean files is expected")
    if len({task.id for task in tasks}) < len(tasks):
        raise TaskError(f"{path}: two problems have one name")
    return TaskList(tasks, version="files")


def _of_lines(path: Path, split_name: str) -> list[Task]:
    tasks = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            name, statement, header = row.get("name") or row["id"], row["formal_statement"], row.get("header") or ""
            where = row.get("split") or split_name
            if not all(isinstance(each, str) for each in (name, statement, header, where)):
                raise TypeError("name, formal_statement, header and split are text")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TaskError(f"{path}, line {number}: no problem: {error!r}") from None
        where = _SPLITS.get(where, where)
        tasks.append(_task(f"{path}, line {number}", name, f"{header.rstrip()}\n\n{statement}", where))
    return tasks


def _of_folder(path: Path, split_name: str) -> list[Task]:
    tasks = []
    for each in sorted(path.glob("*.lean")):
        try:
            tasks.append(_task(str(each), each.stem, each.read_text("utf-8"), split_name))
        except (OSError, ValueError) as error:
            raise TaskError(f"{each}: {error}") from None
    return tasks


def _task(where: str, id: str, text: str, split_name: str) -> Task:
    if split_name not in SPLITS:
        raise TaskError(f"{where}: no split {split_name!r}: there are {', '.join(SPLITS)}")
    text = _END.sub("", _ANSWER.sub(r"\1\2", text).rstrip())
    found = list(_THEOREM.finditer(text))
    if not found or not _OPEN.search(text):
        raise TaskError(f"{where}: no theorem that ends with `:= by sorry`")
    last = found[-1]
    header = text[: last.start()].strip()
    if re.search(r"\bsorry\b", re.sub(r"--[^\n]*|/-.*?-/", "", header, flags=re.DOTALL)):
        raise TaskError(f"{where}: what comes before the theorem has a `sorry`: the answer must be put in")
    statement = _OPEN.sub(":= by", text[last.start() :])
    payload = {"module": id, "name": last[1], "header": header, "statement": statement}
    return Task(id, ENV, payload, {"steps": [], "assumptions": list(STANDARD)}, split_name, ("file",))

"""One instance of SWE-bench: the classic fields, and those that 5.x asks for. Read from and written to JSON lines.

Runs and grades nothing.  Fields that are not named here are carried along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from agentgym.envs.swe.swebench import rows
from agentgym.envs.swe.swebench.eval_script import pytest_script
from agentgym.envs.swe.swebench.parsers import PARSERS, parser_of_repo
from agentgym.errors import TaskError

EvalType = Literal["pass_and_fail", "fail_only"]
RUNNING = ("image", "eval_script", "log_parser", "eval_type")
"""What 5.x needs to run an instance and the classic format does not have."""


def _from_text(value: Any) -> Any:
    """The hub's tables hold lists and objects as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except json.JSONDecodeError as error:
        raise ValueError(f"text that is not JSON: {error.msg}") from None


def _text_or_none(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)


_Tests = Annotated[list[str], BeforeValidator(lambda value: [] if (tests := _from_text(value)) is None else tests)]
_Loose = Annotated[str | None, BeforeValidator(_text_or_none)]
InstanceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=200)]


_OWN_RUNNERS = ("parse_log_django", "parse_log_sympy", "parse_log_sphinx")


class Instance(BaseModel):
    """A row of a SWE-bench data set. `instance_id` is a plain word: it names folders, images and containers.

    The last five fields are 5.x's; None where a classic row has none (`filled` gives what can be told).
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    instance_id: InstanceId
    repo: Annotated[str, StringConstraints(min_length=1)]
    base_commit: str
    patch: str
    test_patch: str
    problem_statement: str
    FAIL_TO_PASS: _Tests
    PASS_TO_PASS: _Tests
    hints_text: _Loose = ""
    created_at: _Loose = ""
    version: _Loose = ""
    environment_setup_commit: _Loose = None
    image: str | None = None
    eval_script: str | None = None
    log_parser: str | None = None
    eval_type: EvalType | None = None
    image_assets: Annotated[dict[str, Any] | None, BeforeValidator(_from_text)] = None

    @property
    def missing(self) -> list[str]:
        """The fields without which 5.x can not run it."""
        return [name for name in RUNNING if not getattr(self, name)]

    def row(self) -> rows.Row:
        """As it is written: lists as JSON text, which every version of the harness takes; None left out."""
        row = {name: value for name, value in self.model_dump().items() if value is not None}
        for name in ("FAIL_TO_PASS", "PASS_TO_PASS", "image_assets"):
            if name in row:
                row[name] = json.dumps(row[name])
        return row


def image_name(instance_id: str, namespace: str = "swebench") -> str:
    """The name under which an instance's image is published."""
    return f"{namespace}/sweb.eval.x86_64.{instance_id}:latest".lower().replace("__", "_1776_")


def read(path: Path) -> list[Instance]:
    """The instances of a file of JSON lines or JSON. Raises TaskError naming the line and field that are wrong."""
    found: dict[str, Instance] = {}
    for where, row in rows.read(path):
        instance = rows.parse(Instance, row, where)
        if instance.instance_id in found:
            raise TaskError(f"{where}: a second instance is called {instance.instance_id!r}")
        found[instance.instance_id] = instance
    return list(found.values())


def write(path: Path, instances: Iterable[Instance]) -> int:
    """Write instances as JSON lines. How many."""
    return rows.write(path, (instance.row() for instance in instances))


def filled(instance: Instance) -> Instance:
    """`instance` with 5.x's fields, as far as they follow from the classic ones.

    Image, eval type and parser always do.  The eval script does for projects whose tests plain pytest runs; for the others
    it was in tables that 5.x no longer has: TaskError then.  What a project builds before its tests is not known here: such
    a script takes the image as built.
    """
    if not instance.missing:
        return instance
    parser = instance.log_parser or parser_of_repo(instance.repo)
    if parser not in PARSERS:
        raise TaskError(_unknown(instance, parser))
    script = instance.eval_script or _script(instance, parser)
    return instance.model_copy(
        update={
            "image": instance.image or image_name(instance.instance_id),
            "eval_script": script,
            "log_parser": parser,
            "eval_type": instance.eval_type or "pass_and_fail",
        }
    )


def _unknown(instance: Instance, parser: str) -> str:
    return f"{instance.instance_id}: no log parser {parser!r} here; there are {', '.join(PARSERS)}"


def _script(instance: Instance, parser: str) -> str:
    tests = re.findall(r"^diff --git a/.* b/(.*)$", instance.test_patch, re.MULTILINE)
    if not tests:
        raise TaskError(f"{instance.instance_id}: no eval_script, and its test_patch names no file to run")
    if parser in _OWN_RUNNERS:
        raise TaskError(
            f"{instance.instance_id}: no eval_script, and {instance.repo} does not run its tests with plain pytest: "
            "take the instance from a 5.x data set, which carries the script"
        )
    return pytest_script(instance.base_commit, instance.test_patch, tests)

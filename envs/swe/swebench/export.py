"""Our release tasks as instances of SWE-bench, and instances as the task repository that its own tool builds and runs.

What is written holds the sources of the packages, which are under their own licences: it is the user's, as the cache is.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentgym.envs.swe import diffs
from agentgym.envs.swe.release import ReleaseTask, ReleaseTrees, trees
from agentgym.envs.swe.swebench.eval_script import TESTBED, script
from agentgym.envs.swe.swebench.instance import Instance, filled, image_name
from agentgym.envs.swe.swebench.parsers import pytest_v2
from agentgym.envs.swe.testdeps import pins
from agentgym.errors import TaskError

COMMIT = "base"
"""The name that the one commit of an exported tree has."""
_DOCKERFILE = f"""ARG BASE_IMAGE=python:3.11-slim
FROM ${{BASE_IMAGE}}
RUN command -v git || (apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*)
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt
COPY tree {TESTBED}
RUN cd {TESTBED} && git init -q && git add -A -f && \\
    git -c user.name=base -c user.email=base@localhost commit -qm base && git tag {COMMIT}
WORKDIR {TESTBED}
"""


@dataclass(slots=True, frozen=True)
class Exported:
    """An instance, and what its image is built from: a Dockerfile, further files beside it, and a tree."""

    instance: Instance
    split: str
    dockerfile: str
    files: Mapping[str, str] = field(default_factory=dict)
    tree: Path | None = None


async def of_release(task: ReleaseTask, split: str, cache: Path | None = None) -> Exported:
    """A release task as an instance. Fetches the package if need be.

    An id that the log can not carry (two spaces in a row, control characters) is left out of PASS_TO_PASS.  Raises
    TaskError if it is one that must be repaired, or if the tests hold what a text patch can not.
    """
    both = await trees(task, cache)
    lost = [id for id in task.FAIL_TO_PASS if not _told(id)]
    if lost:
        raise TaskError(f"{task.id}: a log can not carry the test {lost[0]!r}, which must be repaired")
    test_patch = _test_patch(task, both)
    files = [file.path for file in diffs.parse(test_patch)]
    made = script(
        prepare=[f"export {name}={shlex.quote(value)}" for name, value in _variables(task).items()],
        commit=COMMIT,
        test_patch=test_patch,
        files=files,
        command=f"python3 -m pytest -rA -p no:cacheprovider -c /dev/null --rootdir={TESTBED} {shlex.join(task.test_targets)}",
    )
    instance = Instance(
        instance_id=task.id,
        repo=f"{task.package}/{task.package}",
        base_commit=COMMIT,
        patch=both.oracle(task),
        test_patch=test_patch,
        problem_statement=task.statement,
        FAIL_TO_PASS=task.FAIL_TO_PASS,
        PASS_TO_PASS=[id for id in task.PASS_TO_PASS if _told(id)],
        version=task.tree_version,
        image=image_name(task.id),
        eval_script=made,
        log_parser="parse_log_pytest_v2",
        eval_type="pass_and_fail",
    )
    needed = "".join(f"{name}=={pin}\n" for name, pin in sorted(pins(task.requirements).items()))
    return Exported(instance, split, _DOCKERFILE, {"requirements.txt": needed}, both.base)


def of_instance(instance: Instance) -> Exported:
    """An instance whose image there is already. Raises TaskError if it can not be filled (see `filled`)."""
    whole = filled(instance)
    split = (instance.model_extra or {}).get("split") or "test"
    return Exported(whole, str(split), f"FROM {whole.image}\n")


def write_repository(folder: Path, exported: Iterable[Exported], name: str) -> int:
    """Write the layout that swebench's `load_task_repo` reads, for a data set called `name` ("owner/name"). How many tasks.

    Raises TaskError if the folder holds anything already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder} is there already: name a new or empty folder")
    splits: dict[str, int] = {}
    for each in exported:
        _write_task(folder / "tasks" / each.instance.instance_id, each, name)
        splits[each.split] = splits.get(each.split, 0) + 1
    _write(folder / "sweb.yaml", _json({"datasets": [name], "splits": sorted(splits)}))
    return sum(splits.values())


def _write_task(folder: Path, each: Exported, name: str) -> None:
    row, instance = each.instance.row(), each.instance
    elsewhere = {
        "patch",
        "test_patch",
        "eval_script",
        "problem_statement",
        "hints_text",
        "FAIL_TO_PASS",
        "PASS_TO_PASS",
    }
    meta = {key: value for key, value in row.items() if key not in elsewhere} | {
        "split": each.split,
        "datasets": [name],
    }
    tests = {"FAIL_TO_PASS": instance.FAIL_TO_PASS, "PASS_TO_PASS": instance.PASS_TO_PASS}
    texts = {
        "task.yaml": _json(meta),  # JSON is YAML
        "tests.json": _json(tests),
        "problem_statement.md": instance.problem_statement,
        "gold.patch": instance.patch,
        "test.patch": instance.test_patch,
        "eval.sh": instance.eval_script or "",
        "Dockerfile": each.dockerfile,
        **({"hints.md": instance.hints_text} if instance.hints_text else {}),
        **each.files,
    }
    for path, text in texts.items():
        _write(folder / path, text)
    if each.tree is not None:
        shutil.copytree(each.tree, folder / "tree")  # not linked: what is written is the user's to change


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _told(id: str) -> bool:
    """Whether a log can say of this test that it passed, and that it did not."""
    return pytest_v2(f"PASSED {id}") == {id: "PASSED"} == pytest_v2(f"PASSED {id}\n")


def _test_patch(task: ReleaseTask, both: ReleaseTrees) -> str:
    """The change of the test files from the agent's tree to the fix version."""
    hidden, pieces = both.hidden_tests, []
    for path in sorted({*both.base_tests, *hidden}):
        file = both.base / path
        before, after = (
            _text(task, path, file.read_bytes() if file.is_file() else None),
            _text(task, path, hidden.get(path)),
        )
        pieces.append(diffs.make(path, before, after))
    return "".join(pieces)


def _text(task: ReleaseTask, path: str, data: bytes | None) -> str | None:
    try:
        text = None if data is None else data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text and "\0" in text:
        raise TaskError(f"{task.id}: the test file {path} is not UTF-8 text: a test patch can not carry it")
    return text


def _variables(task: ReleaseTask) -> dict[str, str]:
    root = TESTBED if task.import_root == "." else f"{TESTBED}/{task.import_root}"
    return {
        "PYTHONPATH": root,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }

"""The verdict on a log: which tests passed, and whether the instance is resolved. Equal to swebench 5.0.2's, case by case.

A log is believed as that package believes it: what a candidate prints between the markers is taken for the tests' own
words.  `swe/bench` therefore also looks at the patch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agentgym.envs.swe.swebench.eval_script import END, EXIT_CODE, START
from agentgym.envs.swe.swebench.instance import Instance
from agentgym.envs.swe.swebench.parsers import LogError, Parser, Statuses, parser
from agentgym.errors import TaskError

APPLY_FAILED = ">>>>> Patch Apply Failed"
TIMED_OUT = ">>>>> Tests Timed Out"
_BAD = (APPLY_FAILED, ">>>>> Reset Failed", ">>>>> Tests Errored", TIMED_OUT)
_EXIT = re.compile(rf"{re.escape(EXIT_CODE)}:\s*(-?\d+)")
_RAN = re.compile(
    r"Executed [1-9]\d* of \d+|TOTAL: [1-9]\d* (?:SUCCESS|FAILED)|Tests:\s+[1-9]\d*"
    r"|Test Suites:\s+(?:\d+ \w+, )*[1-9]\d* total|^# tests [1-9]\d*|': ok$",
    re.MULTILINE,
)
_COUNTED = re.compile(r"(?<!\d)(\d+) (?:passing|specs?, \d+ failures?)")
_CAUSES = tuple(
    (reason, sure, re.compile(pattern, re.MULTILINE))
    for reason, sure, pattern in (
        ("browser_launch_failed", True, "Failed to launch|Failed to connect to the bus"),
        ("display_unavailable", True, "cannot open display|Missing X server|unable to open X display"),
        ("out_of_memory", True, "Cannot allocate memory|OutOfMemoryError|^Killed$"),
        ("container_unavailable", True, "Error response from daemon|Cannot connect to the Docker daemon"),
        ("network_unreachable", True, "Could not resolve host|Temporary failure in name resolution"),
        ("missing_module", False, "Cannot find module|MODULE_NOT_FOUND|ModuleNotFoundError"),
        ("no_tests_collected", False, "no tests ran|collected 0 items"),
        ("tests_timed_out", False, r"Timeout error: \d+ seconds exceeded"),
    )
)
"""What a log without results may be due to, and whether that can only be the environment's fault."""


@dataclass(slots=True)
class Split:
    """Expected tests by how they went. One whose status is no known word is in neither list, as in swebench."""

    success: list[str] = field(default_factory=list)
    failure: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        total = len(self.success) + len(self.failure)
        return len(self.success) / total if total else 1.0


@dataclass(slots=True)
class Report:
    """What came of one prediction. `why` says in words why the log, or the patch, does not count; "" if it does."""

    attempted: bool = True
    believed: bool = False
    repaired: Split = field(default_factory=Split)
    kept: Split = field(default_factory=Split)
    why: str = ""
    cause: tuple[str, bool] | None = None

    @property
    def resolved(self) -> bool:
        return self.believed and self.repaired.share == 1 and self.kept.share == 1

    def row(self) -> dict[str, Any]:
        """As swebench's `report.json` has it, by the instance's id."""
        row: dict[str, Any] = {
            "patch_is_None": not self.attempted,
            "patch_exists": self.attempted,
            "patch_successfully_applied": self.believed,
            "resolved": self.resolved,
            "infra_failure": False,
        }
        if self.cause is not None:
            row |= {"infra_failure": self.cause[1], "infra_failure_reason": self.cause[0]}
        if self.believed:
            empty: dict[str, list[str]] = {"success": [], "failure": []}
            row["tests_status"] = {
                "FAIL_TO_PASS": {"success": self.repaired.success, "failure": self.repaired.failure},
                "PASS_TO_PASS": {"success": self.kept.success, "failure": self.kept.failure},
                "FAIL_TO_FAIL": empty,
                "PASS_TO_FAIL": empty,
            }
        return row


def grade(instance: Instance, patch: str | None, log: str) -> Report:
    """The report on `patch`, whose run of the eval script wrote `log`. None: nothing was submitted.

    The instance must name its parser and eval type.  Raises TaskError for a parser that there is not.
    """
    if patch is None:
        return Report(attempted=False, why="there is no patch")
    if instance.log_parser is None or instance.eval_type is None:
        raise TaskError(f"{instance.instance_id}: without log_parser and eval_type nothing can be graded")
    read = parser(instance.log_parser)
    log = log.replace("\r\n", "\n").replace("\r", "\n")
    statuses, why = _believed(log, read)
    if why:
        return Report(why=why, cause=_cause(log))
    if instance.eval_type == "fail_only":
        splits = [_fail_only(ids, statuses) for ids in (instance.FAIL_TO_PASS, instance.PASS_TO_PASS)]
    else:
        splits = [_split(instance.FAIL_TO_PASS, statuses, ()), _split(instance.PASS_TO_PASS, statuses, ("SKIPPED",))]
    return Report(believed=True, repaired=splits[0], kept=splits[1])


def _believed(log: str, read: Parser) -> tuple[Statuses, str]:
    """The statuses of a log, and why it is not believed; "" if it is."""
    if bad := [marker for marker in _BAD if marker in log]:
        return {}, f"the log says {bad[0]!r}"
    if START not in log or END not in log:
        return {}, "the log does not have both markers around the tests' output"
    try:
        statuses = read(log.split(START)[1].split(END)[0]) or read(log)
    except LogError as error:
        return {}, f"the log can not be read: {error}"
    if not statuses and not _ran(log):
        return {}, "no test has a status, and nothing shows that any ran"
    code = _EXIT.search(log)
    if code and int(code[1]) != 0 and statuses and not {"FAILED", "ERROR"} & set(statuses.values()):
        return {}, f"the test command ended with {int(code[1])}, but no test failed"
    return statuses, ""


def _ran(log: str) -> bool:
    """Whether something in the log counts tests, and not to 0."""
    return bool(_RAN.search(log)) or any(re.search("[1-9]", count[1]) for count in _COUNTED.finditer(log))


def _split(ids: Sequence[str], statuses: Statuses, kept: tuple[str, ...]) -> Split:
    split = Split()
    for id in ids:
        status = _status(id, statuses)
        if status in ("PASSED", "XFAIL", *kept):
            split.success.append(id)
        elif status in (None, "FAILED", "ERROR", "SKIPPED"):
            split.failure.append(id)
    return split


def _fail_only(ids: Sequence[str], statuses: Statuses) -> Split:
    """For parsers that see failures only: what is not there has passed."""
    split = Split()
    for id in ids:
        (split.failure if statuses.get(id) == "FAILED" else split.success).append(id)
    return split


def _status(id: str, statuses: Statuses) -> str | None:
    """A test's status. An id that was cut within its parameters stands for those that begin with it, if they agree."""
    if id in statuses:
        return statuses[id]
    if id.count("[") > id.count("]"):
        found = [status for test, status in statuses.items() if test.startswith(id)]
        if found and len({status in ("PASSED", "XFAIL") for status in found}) == 1:
            return found[0]
    return None


def _cause(log: str) -> tuple[str, bool] | None:
    for reason, sure, pattern in _CAUSES:
        if pattern.search(log):
            return reason, sure
    return None

"""Running a package's tests in a fresh box: what to run, how, and what came of it. Compares nothing with expectations.

`run_tests` opens a box over a tree, lays the candidate's files and then the trusted tests over it, and has the judge
(`inbox`) run pytest: isolated interpreter, pytest from a read-only mount and imported before anything of the
workspace, no plugins, no configuration.  Everything that comes back was produced next to the candidate's code:
`TestRun.faults` lists what shows that it must not be believed, `grading` adds the tests that have to fail.
"""

from __future__ import annotations

import base64
import importlib.resources
import json
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentgym.envs.swe.testdeps import MOUNT
from agentgym.errors import VerifierError
from agentgym.sandboxes.sandbox import WORKSPACE, Sandbox, SandboxLimits, SandboxSpec

VERSION = "1"
"""Part of every cached result: raise it when a change here, in `inbox` or in `twins` can change a status."""

OpenBox = Callable[[SandboxSpec], AbstractAsyncContextManager[Sandbox]]
Overlay = Mapping[str, bytes | None]
PYTHON = ("python3", "-P", "-s", "-S", "-B")
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_OPTIONS = ("-q", "--no-header", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.", "--tb=line")
_STATUS_BYTES = 8 << 20
_LOG_BYTES = 64 << 10
_RANK = ("passed", "xfailed", "xpassed", "skipped", "failed", "error")


@dataclass(slots=True, frozen=True)
class Suite:
    """Which tests to run and with what.

    `files` are trusted: laid over the tree last and watched; `removed` are taken away before.  `deps` is the directory
    of `testdeps`.  `stand_in` is what the tests call their stand-ins by, `stand_ins` are the kinds of these (see `blind`).
    """

    targets: tuple[str, ...]
    deps: Path
    import_root: str = "."
    files: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    stand_in: str = "stand_in"
    stand_ins: tuple[str, ...] = ()


@dataclass(slots=True)
class TestRun:
    """What a run claimed. `statuses`: passed, xfailed, xpassed, skipped, failed or error, by test id.

    `messages` has the crash message of tests that failed; `broken` the error of each file that was not collected;
    `seen` what stand-ins were compared with: test id, number of the stand-in, encoded value.
    """

    __test__ = False  # not a test class, whatever pytest makes of the name
    statuses: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, int, Any]] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    collected: int = 0
    exit_code: int | None = None
    timed_out: bool = False
    cpu_s: float = 0.0
    log: str = ""
    faults: tuple[str, ...] = ()

    def with_status(self, *statuses: str) -> set[str]:
        return {id for id, status in self.statuses.items() if status in statuses}


async def run_tests(
    open_box: OpenBox, tree: Path, suite: Suite, overlay: Overlay | None = None, *, timeout: float = 60.0,
    rewrite: bool = True, programs: bool = True, limits: SandboxLimits | None = None,
) -> TestRun:  # fmt: skip
    """Run a suite over `tree` with `overlay` (the candidate's files; None: deleted) in a fresh box.

    `rewrite` asks for pytest's detailed assertion messages, which cost time.  Without `programs` the tests find none by
    name (their PATH is empty).  Raises SandboxError if the box fails,
    VerifierError if the run does not even start; whatever the tests or the candidate do is in the result.
    """
    spec = SandboxSpec(workspace=tree, mounts=((suite.deps, MOUNT),), env=ENVIRONMENT, limits=limits or SandboxLimits())
    nonce = secrets.token_hex(16)
    job = _job(suite, overlay or {}, nonce, timeout, rewrite, programs)
    program = importlib.resources.files("agentgym.envs.swe").joinpath("inbox.py").read_text()
    async with open_box(spec) as box:
        done = await box.exec(
            [*PYTHON, "-c", program], cwd="/", stdin=json.dumps(job).encode(), timeout=timeout + 15,
            max_output=2 * (_STATUS_BYTES + _LOG_BYTES),
        )  # fmt: skip
    try:
        outcome = json.loads(done.stdout)
    except ValueError:
        why = done.killed_by or f"exit code {done.exit_code}"
        said = done.stderr[-2000:].decode("utf-8", "replace")
        if done.exit_code == 1 and "Traceback" in said:
            raise VerifierError(f"the judge could not start the tests: {said}") from None
        return TestRun(timed_out=done.timed_out, log=said, faults=(f"the judge in the box was stopped ({why})",))
    return _read(outcome, nonce)


def _job(suite: Suite, overlay: Overlay, nonce: str, timeout: float, rewrite: bool, programs: bool) -> dict[str, Any]:
    files = {path: data for path, data in overlay.items() if data is not None} | dict(suite.files)
    return {
        "root": WORKSPACE,
        "removed": sorted({*suite.removed, *(path for path, data in overlay.items() if data is None)} - files.keys()),
        "files": {path: base64.b64encode(data).decode() for path, data in sorted(files.items())},
        "trusted": sorted(suite.files),
        "import_root": suite.import_root,
        "deps": MOUNT,
        "targets": list(suite.targets),
        "options": [*_OPTIONS, "--assert=rewrite" if rewrite else "--assert=plain"],
        "stand_in": suite.stand_in,
        "stand_ins": list(suite.stand_ins),
        "programs": programs,
        "nonce": nonce,
        "timeout": timeout,
        "max_status": _STATUS_BYTES,
        "max_log": _LOG_BYTES,
    }


def _read(outcome: dict[str, Any], nonce: str) -> TestRun:
    run = TestRun(
        exit_code=outcome["exit_code"], timed_out=outcome["timed_out"], cpu_s=outcome["cpu_s"], log=outcome["log"]
    )
    faults = [f"a trusted file was changed during the run: {path}" for path in outcome["changed"]]
    finished: int | None = None
    for number, line in enumerate(outcome["status"].splitlines()):
        record = _record(line, number, nonce)
        if record is None:
            if not run.timed_out:  # a run that was stopped may end within a line
                faults.append("the stream of statuses was written to by something else")
            break
        try:
            if "id" in record:
                faults += _take(run, record)
            elif "seen" in record:
                run.seen.append((str(record["test"]), int(record["number"]), record["seen"]))
            elif "broken" in record:
                run.broken[str(record["broken"])] = str(record["message"])
            elif "collected" in record:
                run.collected = int(record["collected"])
            elif "finished" in record:
                finished = int(record["finished"])
        except (KeyError, TypeError, ValueError, OverflowError):
            faults.append("a status that our own reporter does not write")
    if not run.timed_out:
        if finished is None or finished != run.exit_code:
            faults.append(f"the test process ended early or lied: exit code {run.exit_code}, pytest said {finished}")
        elif len(run.statuses) != run.collected and not run.broken:
            faults.append(f"{run.collected} tests were collected, {len(run.statuses)} have a status")
        elif (finished == 0) != (not run.with_status("failed", "error") and not run.broken) and finished != 5:
            faults.append(f"exit code {finished} does not agree with the statuses")
    run.faults = tuple(dict.fromkeys(faults))
    return run


def _record(line: str, number: int, nonce: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    good = isinstance(record, dict) and record.get("nonce") == nonce and record.get("n") == number
    return record if good else None


def _take(run: TestRun, record: dict[str, Any]) -> list[str]:
    """Enter one test's status: of several phases the worst counts."""
    id, status, before = str(record["id"]), str(record["status"]), run.statuses.get(str(record["id"]))
    if status not in _RANK:
        return [f"an unknown status {status!r}"]
    if before is None or _RANK.index(status) > _RANK.index(before):
        run.statuses[id] = status
        run.messages[id] = re.sub(r" at 0x[0-9a-f]+", "", str(record["message"]))
    return [f"{id} passed twice"] if before == status == "passed" else []

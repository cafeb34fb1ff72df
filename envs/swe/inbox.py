"""The program that runs inside the verifier's box: a judge that starts pytest as its child. Never imported by a driver.

Sent as text by `runner`, run as `python3 -P -s -S -c`, job as JSON on standard input, result as JSON on standard
output.  The judge imports only the standard library, lays the files over the workspace, forks, makes itself
unreadable to the child (not dumpable: no ptrace, no /proc/PID/mem or fd), and only then lets the child go.  The child
has neither the judge's standard output nor anything of what the verdict compares; its statuses come through a pipe
and are taken for claims, which `runner` checks against tests that must fail.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import hashlib
import json
import os
import resource
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost more than this program
    from collections.abc import Callable, Generator
    from typing import Any


def judge() -> None:
    job = json.load(sys.stdin.buffer)
    real_output = os.dup(1)
    os.set_inheritable(real_output, False)
    root = job["root"]
    os.chdir(root)
    for path in job["removed"]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    for path, content in job["files"].items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(path, "wb") as file:
            file.write(base64.b64decode(content))
    trusted = {path: fingerprint(path) for path in job["trusted"]}
    gate_out, gate_in = os.pipe()
    status_out, status_in = os.pipe()
    log_out, log_in = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(real_output)
        for handle in (gate_in, status_out, log_out):
            os.close(handle)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for handle, number in ((null, 0), (log_in, 1), (log_in, 2)):
            os.dup2(handle, number)
        os.close(log_in)
        os.read(gate_out, 1)
        os.close(gate_out)
        code = 70
        try:
            code = tested(job, status_in)
        except BaseException as error:
            os.write(2, f"the run broke: {error!r}\n".encode())
        finally:
            os._exit(code)
    for handle in (gate_out, status_in, log_in):
        os.close(handle)
    harden()
    touched = guard(job["trusted"])
    os.write(gate_in, b"1")
    os.close(gate_in)
    outcome = watch(child, status_out, log_out, job)
    changed = {path for path, before in trusted.items() if fingerprint(path) != before}
    outcome["changed"] = sorted(changed | touched())
    with os.fdopen(real_output, "w") as output:
        json.dump(outcome, output)


def harden() -> None:
    """Shut the judge off from processes of its own user, its child first of all."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    except (ImportError, OSError, AttributeError):
        pass


def guard(paths: list[str]) -> Callable[[], set[str]]:
    """Has the kernel note who touches these files from now on; tells which were, even if they are again as they were.

    Their folders may get new files but not be moved: another one in their place would be read instead.
    """
    import ctypes

    libc, names = ctypes.CDLL(None, use_errno=True), {}
    notes = libc.inotify_init1(os.O_NONBLOCK)
    folders = {path[:end] for path in paths for end, letter in enumerate(path) if letter == "/"}
    for path, events in [*((path, 0xC0E) for path in paths), *((folder, 0xC00) for folder in folders)]:
        # 0x2 IN_MODIFY, 0x4 IN_ATTRIB, 0x8 IN_CLOSE_WRITE, 0x400 IN_DELETE_SELF, 0x800 IN_MOVE_SELF
        names[libc.inotify_add_watch(notes, os.fsencode(path), events)] = path
    if notes < 0 or -1 in names:
        raise OSError(ctypes.get_errno(), "the kernel watches no more files")

    def touched() -> set[str]:
        found = set()
        with contextlib.suppress(BlockingIOError):
            while events := os.read(notes, 1 << 16):
                while events:  # int wd; uint32 mask, cookie, len; char name[len]
                    watched = int.from_bytes(events[:4], sys.byteorder, signed=True)
                    found.add(names.get(watched, "more than can be told"))
                    events = events[16 + int.from_bytes(events[12:16], sys.byteorder) :]
        return found

    return touched


def fingerprint(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def watch(child: int, status: int, log: int, job: dict[str, Any]) -> dict[str, Any]:
    """Drain both pipes until the child itself ends or time is up; others may hold the pipes open."""
    deadline = time.monotonic() + job["timeout"]
    kept = {status: bytearray(), log: bytearray()}
    limits = {status: job["max_status"], log: job["max_log"]}
    exit_code, timed_out, used = None, False, resource.getrusage(resource.RUSAGE_CHILDREN)
    opened = {status, log}
    while exit_code is None or opened:
        ready = select.select(list(opened), [], [], 0.02 if exit_code is None else 0)[0]
        for handle in ready:
            part = os.read(handle, 1 << 16)
            if not part:
                opened.discard(handle)
            kept[handle] += part
            if len(kept[handle]) > limits[handle]:
                if handle == log:
                    del kept[log][: -limits[log] // 2]
                else:
                    timed_out = True  # a flood on the status pipe is the child's doing: stop it like a hang
                    del kept[status][limits[status] :]
        if exit_code is not None:
            if not ready:
                break
            continue
        pid, state, usage = os.wait4(child, os.WNOHANG)
        if pid:
            exit_code, used = os.waitstatus_to_exitcode(state), usage
        elif not opened:
            time.sleep(0.002)
        if exit_code is None and (timed_out or time.monotonic() > deadline):
            timed_out = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            _, state, used = os.wait4(child, 0)
            exit_code = os.waitstatus_to_exitcode(state)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return {
        "status": bytes(kept[status]).decode("utf-8", "replace"),
        "log": bytes(kept[log]).decode("utf-8", "replace"),
        "exit_code": exit_code,
        "timed_out": timed_out,
        "cpu_s": used.ru_utime + used.ru_stime,
    }


def tested(job: dict[str, Any], handle: int) -> int:
    """In the child: pytest with a plugin that writes one line for each phase that decides a test."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    root = os.path.join(job["root"], job["import_root"])
    sys.path = [p for p in sys.path if p] + [job["deps"], os.path.normpath(root)]
    os.environ.update(
        PYTHONPATH=os.path.normpath(root) + os.pathsep + job["deps"],
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    if not job["programs"]:
        os.environ["PATH"] = "/nowhere"  # where PATH is empty or unset, the system's default is searched
    import pytest

    dumps, write, nonce, hookimpl = json.dumps, os.write, job["nonce"], pytest.hookimpl
    marked: set[str] = set()
    count = 0
    current = ""

    def say(**record: object) -> None:
        nonlocal count
        record.update(n=count, nonce=nonce)
        count += 1
        line = dumps(record).encode() + b"\n"
        while line:
            line = line[write(handle, line) :]

    class Reporter:
        @hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, Any]:
            report = yield
            expected = hasattr(report, "wasxfail") and item.nodeid in marked
            if report.outcome == "passed" and call.excinfo is not None and not expected:
                status = "failed"  # what was raised counts, not what a report class makes of it
            elif report.when == "call" or report.outcome != "passed":
                status = str(report.outcome)
                if expected:
                    status = "xfailed" if status == "skipped" else "xpassed"
                elif report.when != "call" and status == "failed":
                    status = "error"
            else:
                return report
            crash = getattr(report.longrepr, "reprcrash", None) if status in ("failed", "error") else None
            say(id=report.nodeid, status=status, message=str(crash.message)[:600] if crash else "")
            return report

        def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
            nonlocal current
            current = nodeid

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                say(broken=report.nodeid, message=str(report.longrepr)[-600:])

        def pytest_collection_finish(self, session: Any) -> None:
            marked.update(item.nodeid for item in session.items if item.get_closest_marker("xfail"))
            say(collected=len(session.items))

        @hookimpl(trylast=True)
        def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
            say(finished=int(exitstatus))

    stand_in = stand_ins(job["stand_ins"], lambda number, seen: say(number=number, seen=seen, test=current))
    setattr(builtins, job["stand_in"], stand_in)
    for name in ("nonce", "trusted", "files", "stand_in", "stand_ins"):
        job.pop(name)
    return int(pytest.main([*job["options"], *job["targets"]], plugins=[Reporter()]))


def stand_ins(kinds: list[str], say: Callable[[int, Any], None]) -> Callable[[int], Any]:
    """What tests call for their expected values: objects equal to everything, which say what they were compared with."""

    def made(number: int) -> Any:
        def met(self: Any, other: object) -> bool:
            say(number, plain(other))
            return True

        def differs(self: Any, other: object) -> bool:
            return not met(self, other)

        def raised(self: Any, error: type) -> bool:
            say(number, ["list", [["str", each.__name__] for each in error.__mro__]])
            return True

        if kinds[number] == "raises":
            ways = {"__subclasscheck__": raised, "__instancecheck__": lambda self, error: raised(self, type(error))}
            return type("Watch", (type,), ways)("Expected", (Exception,), {})
        kind = getattr(builtins, kinds[number])
        return type("Expected", (kind,), {"__eq__": met, "__ne__": differs, "__hash__": object.__hash__})()

    return made


def plain(value: Any) -> list[Any]:
    """A value as JSON that keeps its type; "odd" for what is not made of plain types."""
    try:
        for kind, content in (
            (bool, lambda: value), (int, lambda: format(int(value), "x")), (float, lambda: float.hex(value)),
            (str, lambda: str.__str__(value)), (bytes, lambda: bytes.hex(value)),
            (list, lambda: [plain(part) for part in list.__iter__(value)]),
            (tuple, lambda: [plain(part) for part in tuple.__iter__(value)]),
            (dict, lambda: [[plain(key), plain(part)] for key, part in dict.items(value)]),
            (set, lambda: [plain(part) for part in set.__iter__(value)]),
        ):  # fmt: skip
            if isinstance(value, kind):
                return [kind.__name__, content()]
        return ["none", None] if value is None else ["odd", None]
    except Exception:
        return ["odd", None]


if __name__ == "__main__":
    judge()

"""What an audit left behind: processes below this one and files in its temporary folder. Linux tells; others: []."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

_GRACE_S, _PAUSE_S = 3.0, 0.05


@contextmanager
def private_temp() -> Iterator[Path]:
    """A folder that `tempfile` uses in this process and its children meanwhile; removed at the end, whatever is in it."""
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    folder = Path(tempfile.mkdtemp(prefix="agentgym-audit-"))
    folder.chmod(0o711)  # boxes run under other uids and must get through
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        if before[1] is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before[1]
        shutil.rmtree(folder, ignore_errors=True)


def children(others: Container[int] = ()) -> dict[int, str]:
    """Every process below this one, by pid, with its command line; but `others` and what is below them."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        pid, (state, parent) = int(stat.parent.name), text.rpartition(")")[2].split()[:2]
        if state != "Z" and pid not in others:
            parents[pid] = int(parent)
    below: set[int] = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below and pid not in below}:
        below |= more
    return {pid: _command(pid) for pid in below - {os.getpid()}}


async def left(before: dict[int, str], temp: Path | None) -> list[str]:
    """What is there now and was not before, after a moment for processes to end.

    A daemon that was there before works for others, too: what it starts meanwhile is not ours.
    """
    for _ in range(round(_GRACE_S / _PAUSE_S)):
        if not children(before):
            break
        await asyncio.sleep(_PAUSE_S)
    new = sorted(children(before))
    files = sorted(os.listdir(temp)) if temp else []
    return [f"process {pid}: {_command(pid)[:200]}" for pid in new] + [f"temporary file {name}" for name in files]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(gone)"

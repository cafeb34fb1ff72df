"""A driver's folders in the temporary directory: named after who owns them, removed by the next driver if that one is dead."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from agentgym.sandboxes.cgroup import started


def name(kind: str) -> str:
    """What the names of this process's folders of a kind begin with."""
    pid = os.getpid()
    return f"{_kind(kind)}{pid}-{started(pid)}"


def sweep(kind: str) -> None:
    """Remove those whose owner is dead: nobody else's, and none of another machine's or container's that shares the directory."""
    place = Path(tempfile.gettempdir())
    with suppress(OSError):
        for each in os.listdir(place):
            owner = re.fullmatch(re.escape(_kind(kind)) + r"(\d+)-(\d+)(?:-\w+)?", each)
            if owner and started(int(owner[1])) != owner[2] and (place / each).lstat().st_uid == os.geteuid():
                shutil.rmtree(place / each, ignore_errors=True)


def host() -> str:
    """What makes a process id mean something: this boot of this machine, and the namespace that we count in."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    return ""


def _kind(kind: str) -> str:
    return f"agentgym-{kind}-{zlib.crc32(host().encode()):08x}-"

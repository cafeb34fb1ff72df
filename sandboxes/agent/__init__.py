"""The programs of a sandbox that are not Python: the agent inside, and the way in. Built here by the C compiler, once.

Not a package of code: beside this function there are the C sources, whose first lines say what each is for.  A static
binary boots in a millisecond where an interpreter takes twenty, and runs in any root file system, with Python or without.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from agentgym.errors import SandboxError

_HERE = Path(__file__).parent
_OPTIONS = ("-std=gnu17", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror")
_WAY_IN = "enter.c"


def agent() -> Path:
    """The agent's program, to be PID 1 of a box."""
    return _programs() / "agent"


def enter() -> Path:
    """The program by which a root driver enters bwrap."""
    return _programs() / "enter"


@functools.cache
def _programs() -> Path:
    """The folder with both, made if this version of the sources has none yet.

    Raises SandboxError (infrastructure), with what to type, if there is no C compiler that links statically.
    """
    sources = sorted((*_HERE.glob("*.c"), *_HERE.glob("*.h")))
    digest = hashlib.sha256(repr((_OPTIONS, platform.machine(), _compiler())).encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    cache = Path(os.environ.get("AGENTGYM_CACHE") or Path.home() / ".cache" / "agentgym") / "programs"
    folder = cache / digest.hexdigest()[:16]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            _compile(made / "agent", [each for each in sources if each.suffix == ".c" and each.name != _WAY_IN])
            _compile(made / "enter", [_HERE / _WAY_IN])
            made.chmod(0o755)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another driver was faster
                    raise
    return folder


def _compiler() -> str:
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return name
    raise SandboxError("no C compiler to build the box's agent: apt-get install gcc libc6-dev")


def _compile(program: Path, sources: list[Path]) -> None:
    done = subprocess.run(
        [_compiler(), *_OPTIONS, "-o", program, *sources], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise SandboxError(f"the box's agent can not be built (apt-get install gcc libc6-dev): {done.stderr[-2000:]}")

"""How the host's system directories become a box's root: what is shown, what is hidden, what is made up.

Shown read-only: /usr, the dynamic loader's cache and /etc/alternatives.  Hidden: everything else of the host, and in
/usr every place where Python or Node packages or local software live, since the answer to a task may lie there.
Made up: a minimal /etc, one user, empty /usr/local.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import HOME, USER_ID

OLDEST_PYTHON = (3, 11)

_ETC = {
    "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:{USER_ID}:{USER_ID}:agent:{HOME}:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nagent:x:{USER_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost box\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "hostname": "box\n",
}
_HIDDEN_NAMES = {"site-packages", "dist-packages", "node_modules"}
"""Directories of /usr with such a name, at any depth, are shown empty: bundled interpreters have theirs, too."""
_HIDDEN_PATHS = {"/usr/src", "/usr/share/nodejs"}


@dataclass(frozen=True)
class Bind:
    """A host path to be shown read-only."""

    source: str
    target: str


@dataclass(frozen=True)
class Root:
    """A recipe: `steps` are bwrap's own arguments or host paths to bind, in order; `files` are made up."""

    steps: tuple[str | Bind, ...]
    files: tuple[tuple[str, bytes], ...]
    digest: str


@functools.cache
def host_root() -> Root:
    """The recipe for this host. SandboxError if there is no Python for the box."""
    version = _system_python()
    steps: list[str | Bind] = [Bind("/usr", "/usr")]
    steps += _empty(*_to_hide("/usr"))
    steps += ["--tmpfs", "/usr/local"]
    steps += _transplanted_python() if version is None else _links("/usr/bin/python3", "python")
    steps += ["--remount-ro", "/usr/local"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            steps += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            steps.append(Bind(str(path), str(path)))
    files = [(f"/etc/{name}", text.encode()) for name, text in _ETC.items()]
    steps += [Bind(path, path) for path in ("/etc/ld.so.cache", "/etc/alternatives") if os.path.exists(path)]
    steps += ["--symlink", "../proc/self/mounts", "/etc/mtab", "--symlink", "/tmp", "/var/tmp"]
    if os.path.exists("/usr/lib/os-release"):
        steps += ["--symlink", "../usr/lib/os-release", "/etc/os-release"]
    return Root(tuple(steps), tuple(files), _digest(steps))


def _to_hide(top: str) -> list[str]:
    """What `_HIDDEN_NAMES` finds; /usr/local is covered whole. A fifth of a second, once for each driver."""
    found, pending = [], [top]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                directories = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except PermissionError:  # what we may not read, a box's user may not either
            continue
        for entry in directories:
            if entry.name in _HIDDEN_NAMES or entry.path in _HIDDEN_PATHS:
                found.append(entry.path)
            elif entry.path != "/usr/local":
                pending.append(entry.path)
    return sorted(found)


def _empty(*paths: str) -> list[str | Bind]:
    """Cover directories with empty, read-only ones."""
    return [word for path in paths for word in ("--tmpfs", path, "--remount-ro", path)]


def _links(target: str, *names: str) -> list[str | Bind]:
    return [word for name in names for word in ("--symlink", target, f"/usr/local/bin/{name}")]


def _system_python() -> str | None:
    """The distribution's Python, if it is new enough and whole."""
    name = Path("/usr/bin/python3").resolve().name
    try:
        version = tuple(int(part) for part in name.removeprefix("python").split("."))
    except ValueError:
        return None
    whole = Path("/usr/lib", name, "ctypes").is_dir()
    return name if version >= OLDEST_PYTHON and whole else None


def _transplanted_python() -> list[str | Bind]:
    """The driver's own Python under /usr/local, with nothing installed in it."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    prefix = Path(sys.base_prefix)
    library, program = prefix / "lib" / name, prefix / "bin" / name
    if not (library / "os.py").exists() or not program.exists():
        raise SandboxError(
            f"no Python for the box: /usr/bin/python3 is older than {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or lacks its "
            f"library, and {prefix} has none in the usual layout; apt-get install python3"
        )
    steps: list[str | Bind] = [
        Bind(str(library), f"/usr/local/lib/{name}"),
        Bind(str(program.resolve()), f"/usr/local/bin/{name}"),
        *_empty(*(f"/usr/local/lib/{name}/{each.name}" for each in library.glob("*-packages"))),
        *_links(name, "python3", "python"),
    ]
    return steps + [Bind(str(each), f"/usr/local/lib/{each.name}") for each in prefix.glob("lib/libpython*.so.*")]


def _digest(steps: list[str | Bind]) -> str:
    """What the root is made of: the recipe, the distribution's package list, the Python that is shown."""
    digest = hashlib.sha256(repr([step if isinstance(step, str) else step.target for step in steps]).encode())
    digest.update(repr([_ETC, os.uname().machine]).encode())
    if _system_python() is None:
        digest.update(sys.version.encode())
    packages = Path("/var/lib/dpkg/status")
    if packages.exists():
        digest.update(packages.read_bytes())
    else:
        digest.update(repr([os.stat(place).st_mtime_ns for place in ("/usr/bin", "/usr/lib")]).encode())
    release = Path("/usr/lib/os-release")
    digest.update(release.read_bytes() if release.exists() else b"")
    return f"sha256:{digest.hexdigest()}"

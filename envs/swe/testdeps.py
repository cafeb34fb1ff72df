"""What tests import beside the package under test: installed once into the cache, shown read-only in every box.

Built by pip from `data/test_requirements.json`, exact versions, nothing else resolved.  It must never hold a copy of a
package under test: a newer one would be the solution in plain sight, an older one would be tested in its place.
"""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import py_compile
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agentgym.envs.swe.cache import cache_dir, digest, publish
from agentgym.envs.swe.packages import FetchError, pip
from agentgym.errors import TaskError

REQUIREMENTS = Path(__file__).parent / "data" / "test_requirements.json"
MOUNT = "/opt/testdeps"
_LAYOUT = "1"


async def test_deps(
    python: tuple[int, int] | None = None,
    forbidden: Iterable[str] = (),
    folder: Path | None = None,
    extra: Iterable[str] = (),
) -> Path:
    """A directory for `sys.path`, made for the interpreter inside the box (default: of this one's version).

    `extra` are a task's own pins ("six==1.17.0"): they get a directory of their own, the common one stays as it is.
    `forbidden` are names of packages under test: TaskError if the directory holds one of them.  Raises FetchError if
    pip can not install.  `folder` is the cache's.
    """
    version = python or (sys.version_info[0], sys.version_info[1])
    more = sorted(extra)
    requirements = "".join(f"{name}=={pin}\n" for name, pin in sorted(pins(more).items()))
    target = (folder or cache_dir()) / "testdeps" / digest_of(version, more)
    if not target.is_dir():
        await asyncio.to_thread(publish, target, lambda scratch: _install(scratch, requirements, version))
    check(target, forbidden)
    return target


def pins(extra: Iterable[str] = ()) -> dict[str, str]:
    """The exact version of everything in the directory, by name."""
    common: dict[str, str] = json.loads(REQUIREMENTS.read_text())
    return common | dict(pin.split("==") for pin in extra)


def digest_of(python: tuple[int, int], extra: Iterable[str] = ()) -> str:
    """What identifies the directory: requirements, Python version, machine."""
    machine = (os.uname().sysname, os.uname().machine)
    return digest(_LAYOUT, REQUIREMENTS.read_text(), repr(python), *machine, *extra)[:32]


def check(directory: Path, forbidden: Iterable[str]) -> None:
    """Raise TaskError if `directory` holds a distribution, or an importable module, of a name in `forbidden`."""
    held = {_plain(path.name.split("-")[0]): path.name for path in directory.glob("*.dist-info")}
    held |= {_plain(name): name for name in modules(directory)}
    for name in forbidden:
        if _plain(name) in held:
            raise TaskError(
                f"the test dependencies hold {held[_plain(name)]!r}, a copy of the package under test {name!r}: "
                "such a package can not be a task's"
            )


@cache
def modules(directory: Path) -> frozenset[str]:
    """The top-level modules that the directory offers."""
    names = (path.name.split(".")[0] for path in directory.iterdir() if not path.name.endswith(".dist-info"))
    return frozenset(name for name in names if name.isidentifier())


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _install(target: Path, requirements: str, version: tuple[int, int]) -> None:
    number = f"{version[0]}.{version[1]}"
    options = ["--no-deps", "--only-binary", ":all:", "--no-compile", "--no-input", "-q"]
    if version != sys.version_info[:2]:
        options += ["--python-version", number, "--implementation", "cp"]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        (Path(scratch) / "requirements.txt").write_text(requirements)
        files = ["--target", f"{scratch}/site", "-r", f"{scratch}/requirements.txt"]
        environment = os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"}
        command = [*pip(), "install", *options, *files]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
        if run.returncode:
            raise FetchError(
                f"the test dependencies for Python {number} could not be installed with pip. If this machine is "
                "offline, run the same once where there is a network and copy AGENTGYM_CACHE. pip said:\n"
                + (run.stdout + run.stderr).strip()[-1500:]
            )
        _warm(Path(scratch) / "site", target, version)


def _warm(site: Path, target: Path, version: tuple[int, int]) -> None:
    """Move the packages to where they are published, without programs, and with bytecode that is never rechecked."""
    for path in sorted(site.iterdir()):
        if path.name != "bin":
            path.rename(target / path.name)
    if version == sys.version_info[:2]:
        compileall.compile_dir(target, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

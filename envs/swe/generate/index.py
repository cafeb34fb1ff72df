"""What the package index has: the versions of a package, through the user's own pip. Downloads nothing."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess

from agentgym.envs.swe.packages import FetchError, pip


async def versions(name: str, since: str = "", until: str = "") -> list[str]:
    """The releases with a source distribution for this Python, oldest first, without pre-releases.

    `since` and `until` are bounds, both included.  Raises FetchError if the index knows no such package.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise FetchError(f"{name!r} is not a package name")
    found = await asyncio.to_thread(_ask, name)
    return [v for v in found if (not since or key(v) >= key(since)) and (not until or key(v) <= key(until))]


def key(version: str) -> tuple[int, ...]:
    """The numbers of a version, for bounds; pip itself has put releases in order."""
    release = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in release[0].split(".")] if release else [0]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _ask(name: str) -> list[str]:
    command = [*pip(), "index", "versions", name, "--no-binary", ":all:", "--no-input", "--disable-pip-version-check"]
    environment = os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=300)
    listed = re.search(r"^Available versions: (.+)$", run.stdout, re.M)
    if run.returncode or listed is None:
        said = "\n".join(line for line in run.stderr.splitlines() if "ERROR" in line)[-500:] or run.stderr[-500:]
        raise FetchError(f"the index has no source distribution of {name}: {said}")
    return [version.strip() for version in reversed(listed[1].split(","))]

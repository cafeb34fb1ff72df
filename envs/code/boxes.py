"""What a code environment's boxes stand on, and whether that has the programs that are needed.

bubblewrap shows the host's own programs, so its one image will do where the host has them; Docker has `docker/code`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym.errors import UsageError
from agentgym.sandboxes.sandbox import Image, SandboxSpec

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

IMAGE = "code"
_HELP = {
    "bubblewrap": "it shows the programs of this machine: apt-get install {packages}",
    "docker": "build its image: python -m agentgym.sandboxes.docker_images code",
}
_LACKING = 'for program in "$@"; do command -v "$program" >/dev/null || echo "$program"; done'


def ground(programs: Mapping[str, str], runtime: Runtime) -> SandboxSpec:
    """What boxes that need `programs` are made of, where it is there: not looked into."""
    backend = runtime.sandbox_class.name
    image = Image(IMAGE) if programs and backend == "docker" else Image()
    # Debian's Java reads its settings from /etc, which a box of bubblewrap's has made up.
    java = Path("/etc").glob("java-*-openjdk") if "java" in programs and backend == "bubblewrap" else ()
    return SandboxSpec(image=image, mounts=tuple((path, str(path)) for path in sorted(java)))


async def lacking(programs: Mapping[str, str], runtime: Runtime) -> list[str]:
    """Which of `programs` a box can not start. Asked once a runtime."""

    async def look() -> list[str]:
        box = await runtime.sandbox(ground(programs, runtime))
        try:
            done = await box.exec(["/bin/bash", "--norc", "-c", _LACKING, "bash", *programs], cwd="/")
        finally:
            await runtime.release_sandbox(box)
        return done.stdout.decode().split()

    return await runtime.resource(("code-programs", *sorted(programs)), look) if programs else []


async def require(programs: Mapping[str, str], runtime: Runtime) -> SandboxSpec:
    """The ground of boxes, seen to have `programs` (by the Debian package of each). Raises UsageError saying what to install."""
    if missing := await lacking(programs, runtime):
        backend = runtime.sandbox_class.name
        packages = " ".join(dict.fromkeys(programs[name] for name in missing))
        how = _HELP.get(backend, "its image must have the packages {packages}").format(packages=packages)
        raise UsageError(f"boxes of the sandbox backend {backend!r} have no {', '.join(missing)}; {how}")
    return ground(programs, runtime)

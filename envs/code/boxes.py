"""Which image a code environment's boxes have, and whether it has the programs that are needed.

bubblewrap shows the host's own programs, so its one image will do where the host has them; Docker has `docker/code`.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def image_of(programs: Mapping[str, str], runtime: Runtime) -> Image:
    """The image for boxes that need `programs`: the backend's own base where none are needed or it has no other."""
    return Image(IMAGE) if programs and runtime.sandbox_class.name == "docker" else Image()


async def lacking(programs: Mapping[str, str], runtime: Runtime) -> list[str]:
    """Which of `programs` a box can not start. Asked once a runtime."""

    async def look() -> list[str]:
        box = await runtime.sandbox(SandboxSpec(image=image_of(programs, runtime)))
        try:
            done = await box.exec(["/bin/bash", "--norc", "-c", _LACKING, "bash", *programs], cwd="/")
        finally:
            await runtime.release_sandbox(box)
        return done.stdout.decode().split()

    return await runtime.resource(("code-programs", *sorted(programs)), look) if programs else []


async def require(programs: Mapping[str, str], runtime: Runtime) -> Image:
    """The image, seen to have `programs` (by the Debian package of each). Raises UsageError saying what to install."""
    if missing := await lacking(programs, runtime):
        backend = runtime.sandbox_class.name
        packages = " ".join(dict.fromkeys(programs[name] for name in missing))
        how = _HELP.get(backend, "its image must have the packages {packages}").format(packages=packages)
        raise UsageError(f"boxes of the sandbox backend {backend!r} have no {', '.join(missing)}; {how}")
    return image_of(programs, runtime)

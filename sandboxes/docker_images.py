"""The images that boxes are made of: their names, and `python -m agentgym.sandboxes.docker_images`, which builds what lacks.

Those in `EXTRAS` are large and built when named: `python -m agentgym.sandboxes.docker_images code`.
They are built from the Dockerfiles in `docker/` on top of BASE_IMAGE: the one in that environment variable, else
python:3.11-slim where the daemon has it or can reach a registry, else a root that is made here (`docker_root`).
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agentgym.errors import AgentGymError, SandboxError, UsageError
from agentgym.sandboxes import docker_daemon, docker_root
from agentgym.sandboxes.docker_daemon import Daemon, NotThere

COMMAND = "python -m agentgym.sandboxes.docker_images"
NAMES = ("base", "swe")
"""In the order in which they are built on one another."""
EXTRAS = {"code": ("iverilog", "gcc", "libc6-dev", "nodejs", "default-jdk-headless"), "prover": ("coq",)}
"""Images on top of base, and the packages that a root made here gets for them."""
_ABOVE = Path(__file__).resolve().parents[1]
_PUBLIC_BASE = "python:3.11-slim"
Say = Callable[[str], object]


def reference(name: str) -> str:
    """The Docker image that a spec's image name means: one of ours, by its content's tag, or the one of that name."""
    return f"agentgym-{name}:{_tag(name)}" if name in NAMES or name in EXTRAS else name


def how_to_get(image: str) -> str:
    """What to type if the daemon lacks an image."""
    extra = [name for name in EXTRAS if reference(name) == image]
    ours = image in {reference(name) for name in NAMES} or extra
    command = " ".join([COMMAND, *extra]) if ours else f"docker pull {image}"
    return f"the Docker daemon has no image {image}: {command}"


def build(daemon: Daemon, say: Say = print, extras: Iterable[str] = ()) -> None:
    """Build those of our images that the daemon lacks, and of the extras. SandboxError saying what went wrong."""
    for name in (*NAMES, *extras):
        if not _has(daemon, reference(name)):
            if name in EXTRAS:
                base, network = _base_of_extra(daemon, name, say)
            else:
                base, network = _base(daemon, say) if name == NAMES[0] else (reference(NAMES[0]), "none")
            say(f"building {reference(name)} on {base}")
            _build(daemon, name, base, network)


@functools.cache
def _folder() -> Path:
    """Where the Dockerfiles are: in a checkout the folder `docker/`, in an installed package `images/`."""
    for place in (_ABOVE / "docker", _ABOVE / "images"):
        if (place / NAMES[0] / "Dockerfile").is_file():
            return place
    raise SandboxError("the Dockerfiles are missing from this installation of agentgym")


@functools.cache
def _tag(name: str) -> str:
    """What an image is made from, and what it is built on."""
    digest = hashlib.sha256()
    for each in (NAMES[0], name) if name in EXTRAS else NAMES[: NAMES.index(name) + 1]:
        digest.update((_folder() / each / "Dockerfile").read_bytes())
    return digest.hexdigest()[:12]


def _base(daemon: Daemon, say: Say) -> tuple[str, str | None]:
    """What to build on, and the network to do it with: none if nothing need be fetched."""
    if wanted := os.environ.get("BASE_IMAGE"):
        return wanted, None
    if _has(daemon, _PUBLIC_BASE) or _can_be_pulled(daemon, _PUBLIC_BASE):
        return _PUBLIC_BASE, None
    if not _has(daemon, docker_root.IMAGE):
        say(f"{_PUBLIC_BASE} can not be had: making a root here, which takes some minutes")
        docker_root.make(daemon)
    return docker_root.IMAGE, "none"


def _base_of_extra(daemon: Daemon, name: str, say: Say) -> tuple[str, str | None]:
    """Base itself, where packages can be fetched; else one like it, on a root made here that has them."""
    if _base(daemon, say)[0] != docker_root.IMAGE:
        return reference(NAMES[0]), None
    root, base = docker_root.image(EXTRAS[name]), f"agentgym-base-{name}:{_tag(name)}"
    if not _has(daemon, root):
        say(f"making a root with {' '.join(EXTRAS[name])} here, which takes some minutes")
        docker_root.make(daemon, EXTRAS[name])
    _build(daemon, NAMES[0], root, "none", tag=base)
    return base, "none"


def _has(daemon: Daemon, image: str) -> bool:
    try:
        daemon.ask("inspect_image", image)
    except NotThere:
        return False
    return True


def _can_be_pulled(daemon: Daemon, image: str) -> bool:
    try:
        daemon.ask("inspect_distribution", image)
    except SandboxError:
        return False
    return True


def _build(daemon: Daemon, name: str, base: str, network: str | None, tag: str = "") -> None:
    said: list[str] = []
    with daemon.failing():
        for step in daemon.api.build(
            path=str(_folder() / name),
            tag=tag or reference(name),
            buildargs={"BASE_IMAGE": base},
            network_mode=network,
            rm=True,
            forcerm=True,
            decode=True,
            timeout=1800,
        ):
            said.append(str(step.get("stream", "")))
            if "error" in step:
                words = f"{step['error']}\n{''.join(said)[-2000:]}"
                raise SandboxError(f"the image {reference(name)} can not be built: {words}")


def main(extras: Sequence[str] = ()) -> int:
    """Build what lacks. The exit status."""
    try:
        if unknown := sorted(set(extras) - EXTRAS.keys()):
            raise UsageError(f"no images {', '.join(unknown)} to build: there are {', '.join(EXTRAS)}")
        daemon = docker_daemon.current()
        build(daemon, lambda text: print(f"agentgym: {text}", flush=True), extras)
        for name in (*NAMES, *extras):
            print(reference(name), daemon.ask("inspect_image", reference(name))["Id"])
    except AgentGymError as error:
        print(f"agentgym: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

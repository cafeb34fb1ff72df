"""From an instance's image to what boxes are made of: its source tree, copied out, and the image with a place for it.

Nothing of the image is run for this: a container of it is created, never started.  From it comes the tree of `/testbed`;
and it becomes, with a link from the boxes' workspace to there, an image of our own (`agentgym-swebench`), so that a box
has its workspace at the very path that the instance's tools were installed for.
"""

from __future__ import annotations

import asyncio
import io
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agentgym.envs.swe.cache import digest, publish
from agentgym.envs.swe.swebench.eval_script import TESTBED
from agentgym.envs.swe.workspace import listing_of
from agentgym.errors import TaskError
from agentgym.sandboxes import docker_daemon, docker_images, docker_reaper
from agentgym.sandboxes.docker_daemon import Daemon, NotThere
from agentgym.sandboxes.sandbox import WORKSPACE, Image

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

REPOSITORY = "agentgym-swebench"
MAX_BYTES = 8 << 30
MAX_FILES = 40_000
_LAYOUT = "1"
_COPY_S = 1800.0


@dataclass(slots=True, frozen=True)
class Prepared:
    """An image that boxes can be started from, the pristine tree, and the environment that the image asks for."""

    image: Image
    tree: Path
    listing: Mapping[str, str]
    env: Mapping[str, str]

    def text(self, path: str) -> str | None:
        """A file of the pristine tree; None if there is none."""
        file = self.tree / path
        if path not in self.listing or not file.is_file():
            return None
        return file.read_bytes().decode("utf-8", "surrogateescape")


async def prepare(image: str, runtime: Runtime) -> Prepared:
    """Once for each image of a runtime. Raises SandboxError if the daemon lacks it, TaskError if it is no such image."""
    return await runtime.resource(
        ("swebench-image", image), lambda: asyncio.to_thread(_prepare, image, runtime.cache / "swebench")
    )


def derived(id: str) -> str:
    """The name of our image made from the one with that id."""
    return f"{REPOSITORY}:{digest(_LAYOUT, id)[:32]}"


def _prepare(image: str, cache: Path) -> Prepared:
    daemon = docker_daemon.current()
    try:
        about = daemon.ask("inspect_image", image)
    except NotThere:
        raise NotThere(docker_images.how_to_get(image)) from None
    ours = derived(about["Id"])
    tree = cache / ours.rpartition(":")[2]
    made = _is_there(daemon, ours)
    if not (made and tree.is_dir()):
        container = daemon.ask("create_container", about["Id"], ["true"], labels=docker_reaper.labels(_COPY_S))["Id"]
        try:
            publish(tree, lambda folder: _copy_out(daemon, container, folder, image))
            if not made:
                _link(daemon, container, ours, image)
        finally:
            daemon.ask("remove_container", container, force=True, v=True)
    found = listing_of(tree)
    if len(found) >= MAX_FILES:
        raise TaskError(f"{image}: {TESTBED} has {len(found)} files, and {MAX_FILES} are too many")
    return Prepared(Image(ours), tree, found, _environment(about["Config"].get("Env") or []))


def _is_there(daemon: Daemon, image: str) -> bool:
    try:
        daemon.ask("inspect_image", image)
    except NotThere:
        return False
    return True


def _copy_out(daemon: Daemon, container: str, folder: Path, image: str) -> None:
    """Unpack the container's source tree into `folder`: files, directories, and links that stay inside."""
    with tempfile.TemporaryFile() as file:
        try:
            with daemon.failing():
                parts, _ = daemon.api.get_archive(container, TESTBED)
                for part in parts:
                    if file.tell() + len(part) > MAX_BYTES:
                        raise TaskError(f"{image}: {TESTBED} is larger than {MAX_BYTES >> 30} GiB")
                    file.write(part)
        except NotThere:
            raise TaskError(f"{image} is no image of SWE-bench's making: it has no {TESTBED}") from None
        file.seek(0)
        _unpack(file, folder, image)


def _unpack(file: IO[bytes], folder: Path, image: str) -> None:
    def inside(member: tarfile.TarInfo, _: str) -> tarfile.TarInfo | None:
        """Below `folder`, without the tree's own name; None for its top, a device, or a link to what is the image's own."""
        name, link = member.name.partition("/")[2], member.linkname
        if not name:
            return None
        moved = member.replace(name=name, linkname=link.partition("/")[2] if member.islnk() else link, deep=False)
        try:
            return tarfile.data_filter(moved, str(folder))
        except tarfile.FilterError:
            return None

    try:
        with tarfile.open(fileobj=file) as tar:
            tar.extractall(folder, filter=inside)
    except (tarfile.TarError, OSError) as error:
        raise TaskError(f"{image}: {TESTBED} can not be unpacked: {error}") from None
    if not any(folder.iterdir()):
        raise TaskError(f"{image} is no image of SWE-bench's making: its {TESTBED} is empty, or no directory")


def _link(daemon: Daemon, container: str, name: str, image: str) -> None:
    """Save the container as an image in which the workspace is a link to the source tree."""
    link = tarfile.TarInfo(WORKSPACE.strip("/"))
    link.type, link.linkname, link.mode = tarfile.SYMTYPE, TESTBED, 0o777
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(link)
    if not daemon.ask("put_archive", container, "/", data.getvalue()):
        raise TaskError(f"{image}: {WORKSPACE} can not be linked to {TESTBED}: the image has something there")
    repository, _, tag = name.partition(":")
    daemon.ask("commit", container, repository=repository, tag=tag, message=f"{WORKSPACE} -> {TESTBED}")


def _environment(pairs: list[Any]) -> dict[str, str]:
    """The image's variables, but for its user's home: a box has its own."""
    given = dict(str(pair).partition("=")[::2] for pair in pairs if "=" in str(pair))
    return {name: value for name, value in given.items() if name and name != "HOME"}

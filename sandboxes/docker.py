"""Docker: a box is one container of any image, with the agent as its main process and sized tmpfs to write in.

What is special about Docker lives beside this file: the daemon (`docker_daemon`), one container (`docker_container`),
what dead drivers left (`docker_reaper`), the images (`docker_images`).
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from typing import Any, ClassVar

from agentgym.errors import SandboxError
from agentgym.sandboxes import docker_daemon, docker_images, docker_reaper, seccomp
from agentgym.sandboxes.agent import agent
from agentgym.sandboxes.agent_sandbox import AgentSandbox, memory_limit
from agentgym.sandboxes.channel import Process
from agentgym.sandboxes.docker_container import Container, host_config
from agentgym.sandboxes.docker_daemon import Daemon
from agentgym.sandboxes.mounts import check_mounts
from agentgym.sandboxes.sandbox import SCRATCH_BYTES, USER_ID, WORKSPACE, Image, SandboxSpec
from agentgym.sandboxes.workspaces import Tree

_AGENT = "/run/agent"
_PROBE_S = 60
_FRESH_S = 2.0
"""How long an image's id is remembered: asking the daemon takes as long as a command, and boxes are asked for in crowds."""
_seen: dict[tuple[str, str], tuple[float, str]] = {}
"""When an image of a daemon's was last asked for, and its id."""


class Docker(AgentSandbox):
    """A box made by Docker. What it does beyond the contract is AgentSandbox's.

    Where an image's /workspace is a link to one of its directories, the workspace is there, too.
    The images "base" and "swe" are ours (`docker_images`), any other name is an image that the daemon has.  Nothing is pulled.
    An image's own environment, health check and volumes are left out: what it declares as a volume is empty here.
    """

    name: ClassVar[str] = "docker"
    base_is_launched: ClassVar[bool] = False
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"network_off", "memory", "processes", "disk", "fork", "images"}
        | ({"uid"} if os.geteuid() != USER_ID else set())
        | ({"seccomp"} if seccomp.program() else set())
    )

    spares: ClassVar[int] = 2

    @classmethod
    def unavailable(cls) -> str | None:
        try:
            return _probe(docker_daemon.current())
        except SandboxError as error:
            return str(error)

    @classmethod
    async def sweep(cls) -> int:
        return await docker_reaper.sweep(await asyncio.to_thread(docker_daemon.current))

    @classmethod
    def base_digest(cls) -> str:
        return str(docker_daemon.current().ask("inspect_image", docker_images.reference("base"))["Id"])

    @classmethod
    async def _resolve(cls, spec: SandboxSpec) -> Image:
        check_mounts(spec)
        digest = await _id(docker_images.reference(spec.image.name))
        if spec.image.digest not in ("", digest):
            raise SandboxError(
                f"the image {spec.image.name!r} is {digest} here, not {spec.image.digest} as was asked for"
            )
        return Image(spec.image.name, digest)

    @classmethod
    async def _launch(cls, spec: SandboxSpec, image: Image, base: Tree) -> Process:
        daemon = await asyncio.to_thread(docker_daemon.current)
        await docker_reaper.sweep_once(daemon)
        program = str(await asyncio.to_thread(agent))
        volumes = (await daemon.call("inspect_image", image.digest))["Config"].get("Volumes") or {}
        config = _config() | {"stdin_open": True, "labels": docker_reaper.labels(spec.limits.lifetime_s)}
        return await Container.launch(daemon, image.digest, config, _host_config(spec, program, list(volumes)))


async def _id(name: str) -> str:
    """The id of the image that has that name now, or had it a moment ago."""
    wanted = docker_daemon.address(), name
    asked, digest = _seen.get(wanted, (-math.inf, ""))
    if time.monotonic() - asked > _FRESH_S:
        daemon, began = await asyncio.to_thread(docker_daemon.current), time.monotonic()
        try:
            digest = str((await daemon.call("inspect_image", name))["Id"])
        except docker_daemon.NotThere:
            raise SandboxError(docker_images.how_to_get(name)) from None
        _seen[wanted] = began, digest
    return digest


def _config() -> dict[str, Any]:
    """What runs in the container. The environment of commands is the agent's affair; the image's never reaches them."""
    return {
        "entrypoint": [_AGENT],
        "command": [],
        "working_dir": "/",
        "user": f"{USER_ID}:{USER_ID}",
        "hostname": "box",
        "healthcheck": {"test": ["NONE"]},  # an image's own would be a process that nobody asked for
    }


def _host_config(spec: SandboxSpec, program: str, volumes: list[str]) -> dict[str, Any]:
    """The walls. Whatever can be written has a size, and all of it counts as memory."""
    disk, scratch, memory = (
        spec.limits.disk_bytes,
        min(SCRATCH_BYTES, spec.limits.disk_bytes),
        memory_limit(spec.limits),
    )
    shown = [(program, _AGENT), *((str(source.resolve()), target) for source, target in spec.mounts)]
    return {
        "network_mode": "none",
        "dns": ["127.0.0.1"],  # or the container would be shown the host's
        "dns_search": ["."],
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "ipc_mode": "private",
        "pids_limit": spec.limits.processes + 1,  # the agent is one
        "mem_limit": memory,
        "memswap_limit": memory,
        "tmpfs": {
            WORKSPACE: f"{_sized(disk)},mode=0755,uid={USER_ID},gid={USER_ID}",
            "/tmp": f"{_sized(scratch)},mode=1777",
            "/dev/shm": f"{_sized(scratch // 4)},mode=1777",
            # a volume of the image's would be disk without a limit
            **dict.fromkeys(volumes, "size=4k,mode=0555,ro,nosuid,nodev,noexec"),
        },
        "mounts": [{"Type": "bind", "Source": source, "Target": target, "ReadOnly": True} for source, target in shown],
        "log_config": {"Type": "none"},  # the streams are ours alone: a log of them would fill the host's disk
    }


def _sized(size: int) -> str:
    """The options of a tmpfs of that size: an empty file has none, but takes a kilobyte of the kernel's memory."""
    return f"size={size},nr_inodes={size // 1024 + 1024},exec,nosuid,nodev"


def _probe(daemon: Daemon) -> str | None:
    """Start a container of the base image whose agent finds that its driver has hung up. Why that fails, or None."""
    name, container = docker_images.reference("base"), None
    info = daemon.ask("info")
    lacking = [each for each in ("MemoryLimit", "PidsLimit") if not info.get(each)]
    if info.get("OSType") != "linux" or lacking:
        return f"the Docker daemon at {daemon.host} can not bound boxes: {', '.join(lacking) or info.get('OSType')}"
    hosted = host_config(daemon, _host_config(SandboxSpec(), str(agent()), []))
    config = _config() | {"labels": docker_reaper.labels(_PROBE_S)}
    try:
        container = daemon.ask("create_container", name, host_config=hosted, **config)
        daemon.ask("start", container)
        status = daemon.ask("wait", container, timeout=_PROBE_S)["StatusCode"]
        return None if status == 0 else f"a container's agent ended with status {status}, not 0"
    except docker_daemon.NotThere:
        return docker_images.how_to_get(name)
    finally:
        if container is not None:
            daemon.submit("remove_container", container, force=True)

"""Bubblewrap: the embedded backend. bwrap makes the walls, a fork server inside it makes the boxes (`zygote`).

The root is the host's /usr with everything that could give an answer away hidden (`rootfs`).
"""

from __future__ import annotations

import asyncio
import os
from typing import ClassVar

from agentgym.errors import SandboxError
from agentgym.sandboxes import launch, rootfs, seccomp, zygote
from agentgym.sandboxes.agent_sandbox import AgentSandbox
from agentgym.sandboxes.channel import Process
from agentgym.sandboxes.mounts import check_mounts
from agentgym.sandboxes.sandbox import Image, SandboxSpec
from agentgym.sandboxes.workspaces import Tree


class Bubblewrap(AgentSandbox):
    """A box made by bubblewrap. What it does beyond the contract is AgentSandbox's."""

    name: ClassVar[str] = "bubblewrap"
    base_is_launched: ClassVar[bool] = True
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"network_off", "memory", "processes", "disk", "fork"}
        | ({"uid"} if os.geteuid() == 0 else set())
        | ({"seccomp"} if seccomp.program() else set())
    )

    @classmethod
    def unavailable(cls) -> str | None:
        return launch.probe()

    @classmethod
    def base_digest(cls) -> str:
        return rootfs.host_root().digest

    @classmethod
    async def _resolve(cls, spec: SandboxSpec) -> Image:
        if not rootfs.host_root.cache_info().currsize:
            await asyncio.to_thread(rootfs.host_root)  # reads all of /usr, once
        return _resolved(spec)

    @classmethod
    async def tidy(cls) -> None:
        await super().tidy()
        zygote.end_idle()

    @classmethod
    async def _launch(cls, spec: SandboxSpec, image: Image, base: Tree) -> Process:
        return await zygote.make_box(spec, base)


def _resolved(spec: SandboxSpec) -> Image:
    check_mounts(spec)
    digest = rootfs.host_root().digest
    if spec.image.name != "base":
        raise SandboxError(f"bubblewrap has the image 'base' only, not {spec.image.name!r}: use the docker backend")
    if spec.image.digest not in ("", digest):
        raise SandboxError(f"the image 'base' is {digest} here, not {spec.image.digest} as was asked for")
    return Image("base", digest)

"""Repairing a Python package in a box: the life of an episode and its process scores. Tools and verdict are elsewhere.

The agent sees a package's source tree and a problem statement, never the hidden tests nor a package index.
"""

from __future__ import annotations

from typing import Any

from agentgym.envs.swe.materials import Materials, materials
from agentgym.envs.swe.statement import first_message
from agentgym.envs.swe.toolset import FULL, SMALL, Desk, RepairTools
from agentgym.envs.swe.workspace import listing, notes_text, patch_of
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec


class SweEnvironment(RepairTools):
    """One repair task. The box is leased at reset and given back at close; native forks copy its workspace.

    Process scores: "format" for a turn whose calls all went well, "edit" for one that changed a file with an editing
    tool, "file" when a file that the reference solution changes is first looked at.
    """

    _material: Materials

    async def on_reset(self) -> str:
        self._material = await materials(self.task, self.runtime)
        self.desk, self.edited = Desk(), False
        spec = self._box_spec()
        self.box_env = spec.env
        self.box = await self.runtime.sandbox(spec)
        self.allow(*(FULL if self.config.tools == "full" else SMALL))
        return first_message(self.task, self.config, self.spec.limits.turns)

    async def on_close(self) -> None:
        if (box := self.box) is not None:
            self.box = None
            await self.runtime.release_sandbox(box)

    async def on_turn(self) -> str | None:
        if self.results and all(result.ok for result in self.results):
            self.score("format", 1.0)
        if self.edited:
            self.score("edit", 1.0)
            self.edited = False
        turns = self.spec.limits.turns
        return None if self.ended or turns is None else f"Steps remaining: {turns - self.turn - 1}"

    def looked_at(self, path: str) -> None:
        if path in self.task.secret.get("files", ()) and path not in self.desk.touched:
            first = not self.desk.touched
            self.desk.touched |= {path}
            if first:
                self.score("file", 1.0)

    async def state(self) -> Any:
        originals = sorted([path, line, text] for (path, line), text in self.desk.originals.items())
        return [await listing(self.live), self.desk.shell.cwd, self.desk.shell.env, originals]

    async def save(self) -> Any:
        return await self.runtime.fork_sandbox(self.live), self.desk.copy(), self._material

    async def load(self, native: Any) -> None:
        await self.on_close()
        box, desk, self._material = native
        self.box_env, self.edited = self._box_spec().env, False
        self.desk, self.box = desk.copy(), await self.runtime.fork_sandbox(box)

    async def drop(self, native: Any) -> None:
        await self.runtime.release_sandbox(native[0])

    async def artefacts(self) -> dict[str, str]:
        await self.kill_strays()
        material = self._material
        patch = await patch_of(self.live, material.tree, material.listing, self.config.patch_bytes)
        return {"patch": patch.text, "notes": notes_text(patch.notes)}

    def _box_spec(self) -> SandboxSpec:
        config = self.config
        limits = SandboxLimits(
            memory_bytes=config.memory_mb << 20, processes=config.processes, disk_bytes=config.disk_mb << 20
        )
        material = self._material
        return SandboxSpec(workspace=material.tree, mounts=material.mounts, env=material.env, limits=limits)

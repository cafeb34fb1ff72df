"""Repairing a Python package in a box: what the box holds, what is scored, what is submitted. Verdicts are elsewhere.

The agent sees a package's source tree and a problem statement, never the hidden tests nor a package index.
"""

from __future__ import annotations

from typing import Any

from agentgym.envs.swe.materials import Materials, materials
from agentgym.envs.swe.rewriting import SMALL, RepairTools
from agentgym.envs.swe.statement import first_message
from agentgym.envs.swe.toolset import FULL
from agentgym.envs.swe.workspace import notes_text, patch_of
from agentgym.sandboxes.sandbox import SandboxSpec


class SweEnvironment(RepairTools):
    """One repair task. Process scores beside the workbench's: "file" when a file that the reference solution changes
    is first looked at."""

    _material: Materials

    async def on_reset(self) -> str:
        self._material = await materials(self.task, self.runtime)
        await self.open_box()
        self.allow(*(FULL if self.config.tools == "full" else SMALL))
        return first_message(self.task, self.config, self.spec.limits.turns)

    def looked_at(self, path: str) -> None:
        if path in self.task.secret.get("files", ()) and path not in self.desk.touched:
            first = not self.desk.touched
            self.desk.touched |= {path}
            if first:
                self.score("file", 1.0)

    async def save(self) -> Any:
        return (*await super().save(), self._material)

    async def load(self, native: Any) -> None:
        *rest, self._material = native
        await super().load(rest)

    async def artefacts(self) -> dict[str, str]:
        await self.kill_strays()
        material = self._material
        patch = await patch_of(self.live, material.tree, material.listing, self.config.patch_bytes)
        return {"patch": patch.text, "notes": notes_text(patch.notes)}

    def box_spec(self) -> SandboxSpec:
        material = self._material
        return SandboxSpec(workspace=material.tree, mounts=material.mounts, env=material.env, limits=self.box_limits())

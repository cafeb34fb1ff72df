"""The life of an episode in which an agent works on files in a box: lease, fork, score the turns, give back.

Not what the work is: an environment says what its box is made of (`box_spec`), fills it at reset and names artefacts.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from agentgym.envs.swe.toolset import C, Desk, WorkspaceTools
from agentgym.envs.swe.workspace import listing
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec


class Workbench(WorkspaceTools[C]):
    """The box is leased by `open_box` at reset and given back at close; native forks copy its workspace.

    Process scores: "format" for a turn whose calls all went well, "edit" for one that changed a file with an editing
    tool.
    """

    @abstractmethod
    def box_spec(self) -> SandboxSpec:
        """What the agent's box is made of."""

    async def open_box(self) -> None:
        """Start afresh in a new box."""
        self.desk, self.edited = Desk(), False
        spec = self.box_spec()
        self.box_env = spec.environment
        self.box = await self.runtime.sandbox(spec)

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

    async def state(self) -> Any:
        originals = sorted([path, line, text] for (path, line), text in self.desk.originals.items())
        return [await listing(self.live), self.desk.shell.cwd, self.desk.shell.env, originals]

    async def save(self) -> Any:
        return await self.runtime.fork_sandbox(self.live), self.desk.copy()

    async def load(self, native: Any) -> None:
        await self.on_close()
        box, desk = native
        self.box_env, self.edited = self.box_spec().environment, False
        self.desk, self.box = desk.copy(), await self.runtime.fork_sandbox(box)

    async def drop(self, native: Any) -> None:
        await self.runtime.release_sandbox(native[0])

    def box_limits(self) -> SandboxLimits:
        """The box's size as the configuration says."""
        config = self.config
        return SandboxLimits(
            memory_bytes=config.memory_mb << 20, processes=config.processes, disk_bytes=config.disk_mb << 20
        )

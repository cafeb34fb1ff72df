"""The tools that only software repair has: rewrites of a line to choose from, which a very small model can act with."""

from __future__ import annotations

import posixpath

from agentgym.envs.swe import editing
from agentgym.envs.swe.config import SweConfig
from agentgym.envs.swe.rewrites import candidates
from agentgym.envs.swe.workbench import Workbench
from agentgym.errors import ToolError
from agentgym.tools import tool
from agentgym.types import Reply

SMALL = ("view", "suggest", "apply", "submit")
_ORDER = ("shell", "view", "create", "str_replace", "insert", "edit_line", "suggest", "apply", "search", "submit")
"""As models have been told of the tools since v0."""


class RepairTools(Workbench[SweConfig]):
    """The tools of a workspace, and `suggest` and `apply`."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.toolbox = {name: cls.toolbox[name] for name in _ORDER}

    @tool
    async def suggest(self, path: str, line: int) -> Reply:
        """List numbered rewrites of one line, to choose from with apply. Number 0 is the line as it was.

        Args:
            path: Relative to the workspace, or absolute.
            line: The line number.
        """
        choices = self._choices(path, line, await self.file_text(path))
        if len(choices) == 1:
            return Reply(f"no rewrites are known for line {line}: {choices[0].strip()}", effective=False)
        return Reply("\n".join(f"{number}: {text.strip()}" for number, text in enumerate(choices)))

    @tool
    async def apply(self, path: str, line: int, choice: int) -> Reply:
        """Put one of the rewrites that suggest lists for a line in its place.

        Args:
            path: Relative to the workspace, or absolute.
            line: The line number.
            choice: The number of the rewrite; 0 puts the line back as it was.
        """
        before = await self.file_text(path)
        choices = self._choices(path, line, before)
        if not 0 <= choice < len(choices):
            raise ToolError(f"there is no choice {choice} for line {line}: they go from 0 to {len(choices) - 1}")
        after = editing.replace_lines(before, line, choices[choice] or "\n")
        reply = await self.save_text(path, before, after, f"line {line} is now: {choices[choice].strip()}")
        self.desk.originals[posixpath.normpath(path), line] = choices[0]
        return reply

    def _choices(self, path: str, line: int, text: str) -> list[str]:
        """The line as it was before any `apply`, and its rewrites."""
        now = editing.line_at(text, line)
        key = (posixpath.normpath(path), line)
        for first in (self.desk.originals.get(key, now), now):
            whole = text if first == now else editing.replace_lines(text, line, first or "\n")
            choices = [first, *candidates(whole, line)]
            if now in choices:
                return choices
        return [now]

"""The options of the software repair environments. Limits of an episode are the spec's, not here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agentgym.envs.swe.issue import Detail
from agentgym.envspec import Config

Hint = Literal["none", "file", "line"]


class BoxConfig(Config):
    """Options of every environment whose agent works on files in a box: a command's time and output, the box's size."""

    command_s: float = Field(default=60.0, gt=0, le=3600)
    output_bytes: int = Field(default=8_000, ge=200)
    view_lines: int = Field(default=200, ge=1)
    memory_mb: int = Field(default=1024, ge=64)
    disk_mb: int = Field(default=256, ge=1)
    processes: int = Field(default=64, ge=8)


class SweConfig(BoxConfig):
    """Options of `swe/bugs` and `swe/release`.

    tools: "full" is a shell and an editor; "small" is what a small model can handle: view, suggest, apply, submit.
    hint: what the statement gives away: nothing, the file, or the file and the line (only where a bug is one line).
    detail: how close the statement of a one-line bug leads: what goes wrong, the module, or the function.
    tasks_file: a task file in place of the ones that come with the package.
    """

    tools: Literal["full", "small"] = "full"
    hint: Hint = "none"
    detail: Detail = "message"
    tasks_file: Path | None = None
    patch_bytes: int = Field(default=1 << 20, ge=1)

"""The options that all code environments share. What one has besides is in a subclass in its own folder."""

from __future__ import annotations

from pydantic import Field

from agentgym.envs.swe.config import BoxConfig


class CodeConfig(BoxConfig):
    """`submit_bytes`: the most of one submitted file that is read; a longer one is left out, with a note."""

    submit_bytes: int = Field(default=1 << 16, ge=1, le=1 << 24)

"""The options of `code/fuzz` beside those of every code environment."""

from __future__ import annotations

from pydantic import Field

from agentgym.envs.code.config import CodeConfig


class FuzzConfig(CodeConfig):
    """seeds: how many inputs are shown; most_inputs, input_bytes: how many are read in the end, and how long they may be."""

    seeds: int = Field(default=4, ge=1, le=16)
    most_inputs: int = Field(default=8, ge=1, le=64)
    input_bytes: int = Field(default=4096, ge=1, le=1 << 16)

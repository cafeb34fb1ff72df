"""The options of prover environments in Lean."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agentgym.envs.prover.config import ProverConfig


class LeanConfig(ProverConfig):
    """`tasks`: the problems, a .jsonl file or a folder of .lean files (`lean.files`).

    `repl`: the folder of the Lean REPL, built; `project`: the Lake project whose libraries (Mathlib) problems import;
    `lake`: the program that is asked, on this machine, where those are.
    """

    repl: Path | None = None
    project: Path | None = None
    lake: str = "lake"
    memory_bytes: int = Field(default=8 << 30, ge=1 << 28)
    keep_bytes: int = Field(default=6 << 30, ge=1 << 26)

"""The options of prover environments."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agentgym.envspec import Config


class ProverConfig(Config):
    """`provers`: processes shared by all episodes; fewer than episodes work, and replay a header whenever they change hands.

    `memory_bytes`: of one prover; one that holds more than `keep_bytes` after a step is not kept.
    `tactic_s`: processor seconds for one tactic. `context_chars`: how much of the text before the theorem is shown.
    `tasks`: a list made by `coq.generate`, instead of the one that comes with the installed version of Coq.
    `coqchk`: have every proof checked by Coq's second checker as well: some seconds more, and no verdict on a file that it can
    not compile, such as one that stops in the middle of a module with a signature.
    """

    provers: int = Field(default=4, ge=1, le=256)
    memory_bytes: int = Field(default=2 << 30, ge=1 << 28)
    keep_bytes: int = Field(default=600 << 20, ge=1 << 26)
    tactic_s: float = Field(default=10.0, gt=0, le=600)
    context_chars: int = Field(default=2_000, ge=0)
    tasks: Path | None = None
    coqchk: bool = False

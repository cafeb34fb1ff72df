"""A stand-in REPL where a Lean project would have the real one, and a `lake` that says where libraries are."""

import shutil
from pathlib import Path

import pytest

from agentgym.envs.prover.lean.config import LeanConfig
from agentgym.envs.prover.lean.pool import LeanPool

STAND_IN = Path(__file__).with_name("stand_in_repl.py")
LAKE = """#!/bin/sh
[ "$1" = env ] || exit 1
shift
[ $# = 0 ] && exec echo "LEAN_PATH={libraries}"
exec "$@"
"""


@pytest.fixture
def lean(tmp_path):
    """The options under which the stand-in is found."""
    repl = tmp_path / "repl"
    program = repl / ".lake/build/bin/repl"
    program.parent.mkdir(parents=True)
    shutil.copy(STAND_IN, program)
    program.chmod(0o755)
    (repl / "lean-toolchain").write_text("leanprover/lean4:v4.9.0\n")
    (libraries := tmp_path / "libraries").mkdir()
    lake = tmp_path / "lake"
    lake.write_text(LAKE.replace("{libraries}", str(libraries)))
    lake.chmod(0o755)
    return LeanConfig(repl=repl, lake=str(lake), provers=2, memory_bytes=1 << 28, keep_bytes=1 << 27)


@pytest.fixture
async def lean_pool(runtime, lean):
    return await LeanPool.open(runtime, lean)

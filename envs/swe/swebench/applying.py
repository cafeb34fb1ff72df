"""A patch from elsewhere, applied as SWE-bench applies it: by git, then with more and more patience, in a fresh box.

What comes back is the change that it made, as an episode of ours would have submitted it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.swebench.eval_script import TESTBED
from agentgym.envs.swe.swebench.images import MAX_FILES, Prepared
from agentgym.envs.swe.workspace import Patch, patch_of
from agentgym.sandboxes.sandbox import ExecResult, Sandbox, SandboxLimits, SandboxSpec

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

_FILE = "/tmp/patch.diff"
_WAYS = (
    ("git", "apply", "--verbose", _FILE),
    ("git", "apply", "--verbose", "--3way", _FILE),
    ("git", "apply", "--verbose", "--reject", _FILE),
    ("patch", "--batch", "--forward", "--no-backup-if-mismatch", "--fuzz=5", "-p1", "-i", _FILE),
)
_DONE_ALREADY = ("git", "apply", "--check", "--reverse", _FILE)


async def applied(patch: str, prepared: Prepared, limits: SandboxLimits, runtime: Runtime) -> Patch:
    """The change that `patch` makes to the pristine tree; empty, with a note, if it does not apply in any way."""
    if not patch:
        return Patch()
    async with of_runtime(runtime)(SandboxSpec(prepared.image, prepared.tree, limits=limits)) as box:
        if why := await _apply(patch, prepared, box):
            return Patch(notes=[f"the patch does not apply: {why}"])
        return await patch_of(box, prepared.tree, prepared.listing, limits.file_bytes, MAX_FILES)


async def _apply(patch: str, prepared: Prepared, box: Sandbox) -> str:
    """Why no way led to it; "" if one did."""
    snapshot = await box.snapshot()
    try:
        for way in (*_WAYS, _DONE_ALREADY):
            if way is not _DONE_ALREADY:
                await box.restore(snapshot)  # a way that failed may have got half through
                await box.write(_FILE, patch.encode("utf-8", "surrogatepass"))
            done = await box.exec(way, cwd=TESTBED, env=prepared.env, timeout=120)
            if done.exit_code == 0:
                return ""
            if way is _WAYS[0]:
                why = _said(done)
        return why
    finally:
        await box.release(snapshot)


def _said(done: ExecResult) -> str:
    lines = [line for line in (done.stderr + done.stdout).decode("utf-8", "replace").splitlines() if "error" in line]
    return "; ".join(lines[:3]) or f"git ended with {done.exit_code}"

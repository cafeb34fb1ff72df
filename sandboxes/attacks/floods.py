"""Attacks by output: more than a driver can hold, from wherever it can come."""

from __future__ import annotations

import resource

from agentgym.sandboxes.attacks.arena import MIB, Arena, attack, refuse_if
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.conformance import sh

_CAP = 1 << 16


async def _flood(arena: Arena, script: str, timeout: float = 30.0) -> str:
    async with arena.fresh() as box:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        done = await sh(box, script, timeout=timeout, max_output=_CAP)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        kept, dropped = len(done.stdout) + len(done.stderr), done.stdout_dropped + done.stderr_dropped
        refuse_if(len(done.stdout) > _CAP or len(done.stderr) > _CAP, f"{kept} bytes were kept")
        refuse_if(grown > 200, f"the driver grew by {grown} MiB")
        end = done.killed_by or f"exit {done.exit_code}"
        return f"{end}; {kept >> 10} KiB kept, {dropped // MIB} MiB dropped; {await alive(box, 'a flood')}"


@attack()
async def flood_stdout(arena: Arena) -> str:
    """Write to stdout without end."""
    return await _flood(arena, "exec yes")


@attack()
async def flood_stderr(arena: Arena) -> str:
    """Write to stderr without end."""
    return await _flood(arena, "exec yes >&2")


@attack()
async def flood_both_at_once(arena: Arena) -> str:
    """Write to both streams from many processes at once."""
    return await _flood(arena, "for i in 1 2 3 4; do yes & yes >&2 & done; wait")


@attack()
async def flood_from_a_daemon(arena: Arena) -> str:
    """Go on writing to the command's streams after the command has ended, so that its reply never ends."""
    return await _flood(arena, "for i in 1 2 3; do setsid yes & setsid yes >&2 & done; sleep 0.3")


@attack()
async def flood_later(arena: Arena) -> str:
    """Write into the pipes of a command that is over, while the next ones run."""
    async with arena.fresh() as box:
        await sh(box, "setsid sh -c 'sleep 0.5; trap \"\" PIPE; while :; do echo late; echo late >&2; done' & true")
        for _ in range(8):
            done = await sh(box, "echo mine; sleep 0.2")
            refuse_if(done.stdout != b"mine\n" or done.stderr, f"another command's output: {done}")
        return "eight commands had only their own output"


@attack()
async def terminal_and_binary_output(arena: Arena) -> str:
    """Send what is no text: every byte, control sequences, half a character, a million newlines."""
    async with arena.fresh() as box:
        done = await box.exec(
            [
                "python3",
                "-c",
                "import os; os.write(1, bytes(range(256)) * 10 + b'\\x1b]0;x\\x07\\x1b[2J\\xc3' + b'\\n' * 20000)",
            ]
        )
        refuse_if(done.stdout != bytes(range(256)) * 10 + b"\x1b]0;x\x07\x1b[2J\xc3" + b"\n" * 20000, done.stdout[:80])
        return "came back byte for byte, as bytes"

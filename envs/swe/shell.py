"""One shell command: the wrapper around it, and what comes of its output. Builds and parses; runs nothing itself.

Each call is a new bash; only the working directory and the exported variables go from call to call, and every process
that a command leaves behind is killed, so that a workspace's files, directory and variables are all the state there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult

MAX_COMMAND = 60_000
_MAX_CARRIED = 8_000
_OWN = {"PWD", "OLDPWD", "SHLVL", "_", "BASHOPTS", "SHELLOPTS"}

# Standard error carries the state home (the command's own goes to standard output, in order with the rest).
# `kill -1` spares the calling bash and the box's own agent, and is atomic: no fork bomb outruns it.
_WRAPPER = r"""
exec 3>&2 2>&1
agentgym_end() {
  local status=$?
  trap - EXIT
  { printf '%s\0' "$PWD"; /usr/bin/env -0; } >&3 2>/dev/null
  kill -9 -1 2>/dev/null
  { wait; } 2>/dev/null
  exit "$status"
}
trap agentgym_end EXIT
agentgym_command=$1
shift
eval "$agentgym_command"
"""


@dataclass(slots=True)
class ShellState:
    """What goes from one command to the next."""

    cwd: str = WORKSPACE
    env: dict[str, str] = field(default_factory=dict)

    def copy(self) -> ShellState:
        return ShellState(self.cwd, dict(self.env))


def argv(command: str) -> list[str]:
    """The command line that runs `command` under the wrapper."""
    return ["/bin/bash", "--noprofile", "--norc", "-c", _WRAPPER, "bash", command]


KILL_ALL = ["/bin/bash", "--noprofile", "--norc", "-c", "kill -9 -1; :"]
"""Kills what a command left behind when its wrapper could not."""


def unstarted(result: ExecResult) -> bool:
    """Whether the box could not even start the shell."""
    return result.exit_code == 126 and result.stderr.startswith(b"agentgym: ")


def carried(result: ExecResult, before: ShellState, given: Mapping[str, str]) -> ShellState | None:
    """The state after a command; None if its wrapper did not get to tell. `given` is the box's own environment."""
    if result.stderr_dropped or not result.stderr.startswith(b"/") or not result.stderr.endswith(b"\0"):
        return None
    cwd, *pairs = result.stderr[:-1].decode("utf-8", "replace").split("\0")
    env: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals and name not in _OWN and given.get(name) != value:
            env[name] = value
    if sum(len(name) + len(value) for name, value in env.items()) > _MAX_CARRIED:
        return ShellState(cwd, before.env)
    return ShellState(cwd, env)


def describe(result: ExecResult, timeout: float, cap: int) -> str:
    """What the agent is told: the output, its gap if there is one, and how the command ended."""
    if unstarted(result):
        return f"[could not be started: {result.stderr[10:300].decode('utf-8', 'replace').strip()}]"
    text = shown(result.stdout, result.stdout_dropped, cap)
    if text and not text.endswith("\n"):
        text += "\n"
    return text + _ending(result, timeout)


def shown(output: bytes, dropped: int, cap: int) -> str:
    """Output as text, saying how much is missing in the middle."""
    if not dropped:
        return output.decode("utf-8", "replace")
    head = cap - cap // 2
    first, last = (part.decode("utf-8", "replace") for part in (output[:head], output[head:]))
    return f"{first}\n[... {dropped} bytes left out ...]\n{last}"


def _ending(result: ExecResult, timeout: float) -> str:
    if result.timed_out:
        return f"[stopped after {timeout:g} s, with everything that it had started]"
    match result.killed_by:
        case "memory":
            return "[killed: it needed more memory than there is]"
        case "output":
            return "[killed: it wrote more output than is allowed]"
        case "signal":
            return "[killed by a signal]"
        case _:
            return f"[exit code {result.exit_code}]"

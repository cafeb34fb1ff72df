"""Scripted policies that every code environment has, and the two ways in which cheats are made. All act by the tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from agentgym.envs.swe.policies import in_turn, noop, say
from agentgym.policy import Context, Policy, Scripted
from agentgym.types import Action

Files = Mapping[str, str]
_COMMANDS = ("ls -la", "cat *", "find . -type f", "env", "false", "head -n 20 *")


def oracle() -> Scripted:
    """Creates the reference solution, then submits."""
    return submitting("oracle", lambda context: context.task.secret["solution"])


def submitting(name: str, write: Callable[[Context], Files]) -> Scripted:
    """A privileged policy that creates the files that `write` gives, then submits."""
    return in_turn(name, lambda context: [[("create", {"path": p, "text": t}) for p, t in write(context).items()]])


def commanding(name: str, command: Callable[[Context], str]) -> Scripted:
    """A privileged policy that runs one shell command, then submits."""
    return in_turn(name, lambda context: [[("shell", {"command": command(context)})]])


def random_player() -> Scripted:
    """Well-formed calls of random tools with arguments that might have been meant."""
    return Scripted("random", _play_at_random)


def policies(**cheats: Callable[[], Policy]) -> dict[str, Callable[[], Policy]]:
    """The four kinds that an audit asks for; `early_exit=...` becomes "cheat/early-exit"."""
    named = {f"cheat/{name.replace('_', '-')}": make for name, make in cheats.items()}
    return {"oracle": oracle, "noop": noop, "random": random_player, **named}


def _play_at_random(context: Context) -> Action:
    rng = Random(context.seed)
    payload = context.task.payload
    paths = sorted({*payload["files"], *payload["submit"], "."})
    path, line = rng.choice(paths), rng.randint(1, 40)
    lines = [text for text in "\n".join(payload["files"].values()).split("\n") if text.strip()] or ["x"]
    arguments: dict[str, dict[str, Any]] = {
        "shell": {"command": rng.choice(_COMMANDS)},
        "view": {"path": path},
        "create": {"path": path, "text": "\n".join(rng.sample(lines, min(len(lines), 5)))},
        "str_replace": {"path": path, "old_str": rng.choice(lines), "new_str": rng.choice(lines)},
        "insert": {"path": path, "line": line, "text": rng.choice(lines)},
        "edit_line": {"path": path, "line": line, "text": rng.choice(lines)},
        "search": {"pattern": "the"},
        "submit": {},
    }
    names = sorted(tool.name for tool in context.tools if tool.name in arguments)
    name = rng.choice(names) if names else "submit"
    return say(context, (name, arguments[name]))

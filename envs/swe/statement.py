"""What the agent is told first. Pure text: from a task's public part, and from its secret only what `hint` gives away."""

from __future__ import annotations

from agentgym.envs.swe.config import SweConfig
from agentgym.sandboxes.sandbox import WORKSPACE
from agentgym.tasks import Task

_FULL = (
    "The tests can be run with `python3 -m pytest`; there is no network. Change the source, not the tests: "
    "hidden tests will judge the source files alone. Call submit when you are done."
)
_SMALL = (
    "Look at the source with view, list rewrites of a line with suggest, choose one with apply (choice 0 takes a "
    "line back), and call submit when you are done."
)


def first_message(task: Task, config: SweConfig, turns: int | None) -> str:
    """The opening of an episode."""
    payload = task.payload
    parts = [
        f"The source tree of the Python package {payload['package']} {payload['version']} is at {WORKSPACE}.",
        payload["statement"],
        _FULL if config.tools == "full" else _SMALL,
    ]
    if hint := _hint(task, config):
        parts.insert(2, hint)
    if turns is not None:
        parts.append(f"Steps remaining: {turns}")
    return "\n\n".join(parts)


def _hint(task: Task, config: SweConfig) -> str:
    files = ", ".join(task.secret["files"])
    edit = task.secret.get("edit")
    match config.hint:
        case "none":
            return ""
        case "line" if edit is not None:
            return f"Hint: the mistake is in {files}, near line {edit['line']}."
        case _:
            return f"Hint: the mistake is in {files}."

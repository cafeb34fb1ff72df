"""Scripted policies: the reference solution, doing nothing, acting at random, and a noisy expert for warm starts.

All act through the tools like any agent, and are functions of the context alone.  Cheats are in `cheats.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from agentgym.envs.swe import diffs
from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

_WORDS = ("def ", "return", "class ", "raise", "self", "import")
_COMMANDS = ("ls", "git status", "python3 -c 'print(1)'", "false", "find . -name '*.py' | head")


def say(context: Context, *calls: tuple[str, dict[str, Any]]) -> Action:
    """One assistant message with these calls."""
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(calls=tuple(made))


def in_turn(name: str, plan: Callable[[Context], Sequence[Sequence[tuple[str, dict[str, Any]]]]]) -> Scripted:
    """A privileged policy that plays the messages of a plan one a turn, then submits."""

    def play(context: Context) -> Action:
        messages = plan(context)
        return say(context, *(messages[context.turn] if context.turn < len(messages) else [("submit", {})]))

    return Scripted(name, play, privileged=True)


def noop() -> Scripted:
    """Submits at once."""
    return Scripted("noop", lambda context: say(context, ("submit", {})))


def oracle() -> Scripted:
    """Makes the reference edit with the tools that it is given, then submits."""
    expert = _Expert(0.0)
    plan = in_turn("oracle", lambda context: reference_edits(context.task.secret["oracle"]))

    async def play(context: Context) -> Action:
        if any(tool.name == "edit_line" for tool in context.tools):
            return (await plan.act(context))[0]
        return expert.play(context)

    return Scripted("oracle", play, privileged=True)


def noisy_oracle(noise: float = 0.45) -> Scripted:
    """A fallible expert with the small tool set, for one-line bugs: each turn, with probability `noise`, it does
    something plausible instead of the right thing; it takes back what it spoiled."""
    return Scripted("noisy-oracle", _Expert(noise).play, privileged=True)


def random_player() -> Scripted:
    """Well-formed calls of random tools with arguments that might have been meant."""
    return Scripted("random", _play_at_random)


def reference_edits(patch: str) -> list[list[tuple[str, dict[str, Any]]]]:
    """A patch as calls of the editing tools: one message a file, its hunks from the bottom up."""
    messages = []
    for file in diffs.parse(patch):
        if file.deleted:
            messages.append([("shell", {"command": f"rm -- '{file.path}'"})])
        elif file.created:
            text = "".join(line for hunk in file.hunks for line in hunk.new)
            messages.append([("create", {"path": file.path, "text": text})])
        else:
            messages.append([_edit(file.path, hunk) for hunk in reversed(file.hunks)])
    return messages


def _edit(path: str, hunk: diffs.Hunk) -> tuple[str, dict[str, Any]]:
    text = "".join(hunk.new)
    if not hunk.old:
        return "insert", {"path": path, "line": hunk.start - 1, "text": text}
    return "edit_line", {"path": path, "line": hunk.start, "text": text, "last_line": hunk.start + len(hunk.old) - 1}


def _play_at_random(context: Context) -> Action:
    rng = Random(context.seed)
    path = rng.choice(["setup.py", "README.md", "src", "tests", ".", context.task.payload["package"]])
    line = rng.randint(1, 60)
    arguments: dict[str, dict[str, Any]] = {
        "shell": {"command": rng.choice(_COMMANDS)},
        "view": {"path": path},
        "create": {"path": f"note{line}.txt", "text": "x\n"},
        "str_replace": {"path": path, "old_str": rng.choice(_WORDS), "new_str": "pass"},
        "insert": {"path": path, "line": line, "text": "# note"},
        "edit_line": {"path": path, "line": line, "text": "pass"},
        "search": {"pattern": rng.choice(_WORDS)},
        "suggest": {"path": path, "line": line},
        "apply": {"path": path, "line": line, "choice": rng.randint(0, 3)},
        "submit": {},
    }
    names = sorted(tool.name for tool in context.tools if tool.name in arguments)
    name = rng.choice(names) if names else "submit"
    return say(context, (name, arguments[name]))


class _Expert:
    """Finds out from the conversation alone how far it is: what was listed, what was applied, what is left to do."""

    def __init__(self, noise: float) -> None:
        self._noise = noise

    def play(self, context: Context) -> Action:
        rng = Random(context.seed)
        right = self._right(context)
        if rng.random() < self._noise:
            return say(context, self._slip(context, rng))
        return say(context, right)

    def _right(self, context: Context) -> tuple[str, dict[str, Any]]:
        edit = context.task.secret["edit"]
        path, line, wanted = edit["path"], edit["line"], edit["after"].strip()
        viewed, listed, applied = False, [], {}
        for call, reply in exchanges(context):
            given = json.loads(call.arguments)
            if reply.startswith("error:") or given.get("path", path) != path:
                continue
            if call.name == "view":
                viewed = True
            elif call.name == "suggest" and given["line"] == line:
                listed = choices_in(reply)
            elif call.name == "apply":
                applied[given["line"]] = 0 if given["choice"] == 0 else reply.split("\n")[0].partition(": ")[2]
        for other, now in applied.items():
            if other != line and now:
                return "apply", {"path": path, "line": other, "choice": 0}
        if applied.get(line) == wanted:
            return "submit", {}
        if wanted in listed:
            return "apply", {"path": path, "line": line, "choice": listed.index(wanted)}
        if listed:
            return "submit", {}
        if not viewed:
            return "view", {"path": path, "start": max(1, line - 5), "end": line + 5}
        return "suggest", {"path": path, "line": line}

    def _slip(self, context: Context, rng: Random) -> tuple[str, dict[str, Any]]:
        edit = context.task.secret["edit"]
        path, line = edit["path"], max(1, edit["line"] + rng.randint(-4, 4))
        return rng.choice(
            [
                ("view", {"path": path, "start": max(1, line - 5), "end": line + 5}),
                ("suggest", {"path": path, "line": line}),
                ("suggest", {"path": path, "line": edit["line"]}),
                ("apply", {"path": path, "line": edit["line"], "choice": rng.randint(0, 4)}),
                ("apply", {"path": path, "line": line, "choice": rng.randint(0, 2)}),
                ("submit", {}),
            ]
        )


def exchanges(context: Context) -> list[tuple[ToolCall, str]]:
    """Every call of the conversation so far with its reply."""
    calls = {call.id: call for message in context.messages for call in message.tool_calls}
    return [
        (calls[message.tool_call_id], message.text)
        for message in context.messages
        if message.role == "tool" and message.tool_call_id in calls
    ]


def choices_in(reply: str) -> list[str]:
    """The rewrites in a reply of `suggest`, by number."""
    rows = [row.partition(": ") for row in reply.split("\n")]
    return [text for number, colon, text in rows if colon and number.isdigit()]

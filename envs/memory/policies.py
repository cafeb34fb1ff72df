"""Scripted policies of the memory environments: writing what is worth keeping, nothing, or noise; answering with the truth.

All write through the tools, and are functions of the context alone.  What is worth keeping is each environment's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from agentgym.envs.memory.answering import ACTOR
from agentgym.envs.memory.environment import lines_shown
from agentgym.policy import Context, Policy, Scripted
from agentgym.types import Action, ToolCall

Call = tuple[str, dict[str, Any]]
Plan = Callable[[Context, int, int], Sequence[Call]]
"""The calls for the lines from one to another of `context.task`."""

_QUESTION = re.compile(r"^Question (\d+) of \d+: ", re.M)


def say(context: Context, *calls: Call, text: str = "") -> Action:
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(text, tuple(made))


def writer(name: str, plan: Plan, answer: Callable[[Context], str] | None = None) -> Scripted:
    """A privileged policy that writes what `plan` says; as the answerer it says what `answer` says."""

    def play(context: Context) -> Action:
        if context.actor == ACTOR:
            return Action((answer or true_answer)(context))
        return say(context, *plan(context, *lines_shown(context.messages[0].text)))

    return Scripted(name, play, privileged=True)


def true_answer(context: Context) -> str:
    return str(asked(context)["answers"][0])


def asked(context: Context) -> dict[str, Any]:
    """The question that is open, whole."""
    found = _QUESTION.findall(context.messages[0].text)
    questions: list[dict[str, Any]] = context.task.secret["questions"]
    return questions[int(found[-1]) - 1]


def alpha(context: Context) -> bool:
    """Whether the tools are Mem-alpha's."""
    return any(tool.name == "new_memory_insert" for tool in context.tools)


def keep(context: Context, text: str, kind: str = "semantic") -> Call:
    """The call that keeps a text, with the tools at hand."""
    if alpha(context):
        return "new_memory_insert", {"memory_type": f"{kind}_memory", "content": text}
    return "add", {"content": text}


def keeping(name: str, texts: Callable[[Context, int, int], Sequence[str]], said: str = "") -> Scripted:
    """A cheat that keeps the texts given for each part; as the answerer it says `said`."""
    return writer(
        f"cheat/{name}",
        lambda context, first, last: [keep(context, text) for text in texts(context, first, last)],
        lambda context: said,
    )


def noop() -> Scripted:
    """Keeps nothing and answers nothing."""
    return Scripted("noop", lambda context: Action("" if context.actor == ACTOR else "Nothing to note."))


def random_player() -> Scripted:
    """Well-formed calls of random tools, with words of what it reads in no order."""
    return Scripted("random", _play_at_random)


def standard(oracle: Callable[[], Policy], cheats: dict[str, Callable[[], Policy]]) -> dict[str, Callable[[], Policy]]:
    named = {f"cheat/{name.replace('_', '-')}": make for name, make in cheats.items()}
    return {"oracle": oracle, "noop": noop, "random": random_player, **named}


def _play_at_random(context: Context) -> Action:
    rng = Random(context.seed)
    words = context.messages[0].text.split()[-400:]
    text = " ".join(rng.sample(words, min(len(words), 6)))
    id, kind = f"{rng.randint(1, 12):04x}", rng.choice(["semantic_memory", "episodic_memory"])
    calls: dict[str, dict[str, Any]] = {
        "new_memory_insert": {"memory_type": kind, "content": text},
        "memory_update": {"memory_type": kind, "new_content": text, "memory_id": id},
        "memory_delete": {"memory_type": kind, "memory_id": id},
        "search_memory": {"memory_type": kind, "query": text},
        "add": {"content": text},
        "update": {"memory_id": id, "content": text},
        "delete": {"memory_id": id},
        "noop": {},
    }
    names = [tool.name for tool in context.tools if tool.name in calls]
    if context.actor == ACTOR or not names:
        return Action(text)
    return say(context, *((name, calls[name]) for name in rng.choices(names, k=rng.randint(1, 3))))

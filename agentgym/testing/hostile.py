"""Hostile actions: what a broken or malicious model may send. `step` must answer all of it and never raise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.registry import make
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.tools import Tool
from agentgym.types import Action, Observation, ToolCall

_TEXTS = ("", "\x00", "\ud800", "�\u202e\ufeff", "x" * 300_000, "\x1b[2J" * 50, "{" * 2_000)
_ARGUMENTS = (
    *("", "{", "null", "[]", "0", '"text"', '{"a":}', '{"\\ud800": "\\udfff"}', "NaN", "\x00", "\ud800", "[" * 5_000),
    *('{"unknown": 1}', '{"": ""}', '{"__class__": {}}', '{"self": 1}', "1" * 10_000, "�" * 1_000),
)
_VALUES: tuple[Any, ...] = (
    None,
    -1,
    10**30,
    1e308,
    True,
    [],
    {},
    "",
    "\x00",
    "x" * 300_000,
    "../../../etc/passwd",
    "\ud800",
)


def actions(tools: dict[str, Tool]) -> Iterator[Action]:
    """Every hostile action for an environment with these tools."""
    for text in _TEXTS:
        yield Action(text)
    yield Action("", tuple(ToolCall(f"c{i}", "no_such_tool", "{}") for i in range(40)))
    for name in ("", "\ud800", "__init__", "step", "close", "on_close", "x" * 10_000):
        yield Action("", (ToolCall("c", name, "{}"),))
    for tool in tools.values():
        for arguments in (*_ARGUMENTS, *_ill_typed(tool)):
            yield Action("", (ToolCall("c", tool.name, arguments), ToolCall("c", tool.name, "}")))


def _ill_typed(tool: Tool) -> Iterator[str]:
    names = list(tool.parameters["properties"])
    for value in _VALUES:
        if names:
            yield json.dumps(dict.fromkeys(names, value))


async def check_hostile(spec: EnvSpec, task: Task, runtime: Runtime) -> list[str]:
    """Play every hostile action, in as many episodes as that takes; what was wrong with the answers."""
    waiting = list(actions(spec.tools))[::-1]
    problems: list[str] = []
    while waiting and len(problems) < 5:
        env = make(spec, runtime=runtime)
        action = Action()
        try:
            await env.reset(task=task, seed=0)
            while waiting and env.ended is None:
                action = waiting.pop()
                problems += await _step(env, action)
            await env.close()
        except Exception as error:
            problems.append(f"hostile action {_show(action)} raised {type(error).__name__}: {error}"[:500])
            with suppress(Exception):
                await env.close()
    return problems


async def _step(env: Environment[Any], action: Action) -> list[str]:
    observation, _, _, _, info = await env.step(action)
    wanted = [call.id for call in action.calls]
    replies = [message.tool_call_id for message in observation.messages if message.role == "tool"]
    if not observation.fresh and (replies != wanted or [result.id for result in info.calls] != wanted):
        return [f"hostile action {_show(action)}: calls {wanted} were answered by {replies}"]
    return contract(env.spec, observation)


def contract(spec: EnvSpec, observation: Observation) -> list[str]:
    """What in `observation` the spec does not allow."""
    problems = []
    if unknown := set(observation.tools or ()) - spec.tools.keys():
        problems.append(f"an observation offers tools that the spec lacks: {', '.join(sorted(unknown))}")
    if observation.actor not in spec.actors:
        problems.append(f"an observation is for actor {observation.actor!r}, which the spec lacks")
    return problems


async def check_close(spec: EnvSpec, task: Task, runtime: Runtime) -> list[str]:
    """That closing is idempotent, before a reset and after one, and final."""
    problems = []
    for started in (False, True):
        env = make(spec, runtime=runtime)
        when = "in mid-episode" if started else "before a reset"
        try:
            if started:
                await env.reset(task=task, seed=0)
            await env.close()
            await env.close()
            await env.on_close()
        except Exception as error:
            problems.append(f"closing {when}, and again, raised {type(error).__name__}: {error}")
        try:
            await env.step(Action())
        except UsageError:
            continue
        problems.append(f"step works on an environment that was closed {when}")
    return problems


def _show(action: Action) -> str:
    shown = (
        f"{action.calls[0].name[:30]!r}({action.calls[0].arguments[:60]!r})" if action.calls else repr(action.text[:60])
    )
    return shown.encode("ascii", "backslashreplace").decode()

"""The fallible expert of the warm start, and what the small model need not say. Knows the tools' shapes, no truth."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from agentgym.policy import Context, Policy
from agentgym.types import Action, ToolCall

WINDOW = 2
_HINT = re.compile(r"mistake is in (\S+), near line (\d+)")


def given(context: Context) -> dict[str, Any]:
    """What the hint in the statement settles: file, line, and which lines to look at.

    The codec leaves these out of a call and fills them in, so the model writes `view`, `suggest`, `apply 3`, `submit`.
    """
    found = _HINT.search(context.messages[0].text) if context.messages else None
    if found is None:
        return {}
    line = int(found[2])
    return {"path": found[1], "line": line, "start": max(1, line - WINDOW), "end": line + WINDOW}


class Fallible:
    """An expert whose action is replaced, with probability `noise`, by a random call of a random tool.

    Calls are brought into what `given` settles, so that the codec can say them; numbers that it leaves open are
    drawn from 0 to `most`.  A function of the context alone: its randomness is the context's seed.
    """

    def __init__(self, expert: Policy, noise: float, most: int = 4) -> None:
        self.name = f"fallible-{expert.name}"
        self.privileged = expert.privileged
        self._expert, self._noise, self._most = expert, noise, most

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        rng = Random(context.seed)
        if rng.random() < self._noise:
            return [self._slip(context, rng)] * n
        actions = await self._expert.act(context, n)
        return [Action(action.text, tuple(_settled(call, context) for call in action.calls)) for action in actions]

    def _slip(self, context: Context, rng: Random) -> Action:
        tool = rng.choice(list(context.tools))
        settled = given(context)
        arguments = {
            name: settled[name] if name in settled else rng.randint(0, self._most)
            for name in tool.parameters["properties"]
        }
        return Action(calls=(ToolCall(f"call_{context.turn}_0", tool.name, json.dumps(arguments)),))


def _settled(call: ToolCall, context: Context) -> ToolCall:
    settled, arguments = given(context), json.loads(call.arguments)
    arguments |= {name: settled[name] for name in arguments if name in settled}
    return ToolCall(call.id, call.name, json.dumps(arguments))

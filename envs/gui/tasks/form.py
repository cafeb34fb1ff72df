"""The form of a message: Mobile-R1's `<thinking>`, `<action>`, `<tool_call>`, and whether a message has it. Pure.

The call may stand in the text, or come as the endpoint took it out of there; thinking may come apart, as reasoning.
"""

from __future__ import annotations

import json
import re
from typing import Any

from agentgym.types import Action, ToolCall

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.S)
_FORM = re.compile(r"\s*(?:<(think|thinking)>(?P<thinking>.+?)</\1>)?\s*<action>(?P<action>.+?)</action>\s*", re.S)
_MAX = 50_000


def called(text: str) -> list[ToolCall] | None:
    """The calls that are written in `text`; None if one of them is no call."""
    read = [_read(body) for body in _CALL.findall(text[:_MAX])]
    return None if None in read else [call for call in read if call is not None]


def well_formed(action: Action) -> bool:
    """Thinking, then what is done in words, then exactly one call; nothing else."""
    written = called(action.text)
    match = _FORM.fullmatch(_CALL.sub("", action.text[:_MAX]))
    if written is None or match is None or len(written) + len(action.calls) != 1:
        return False
    thought = (match["thinking"] or action.reasoning).strip()
    in_order = not written or action.text.rstrip().endswith("</tool_call>")
    return bool(thought and match["action"].strip() and in_order)


def write(thinking: str, action: str) -> str:
    """The text of a well-formed message, whose call goes apart."""
    return f"<thinking>{thinking}</thinking>\n<action>{action}</action>"


def _read(body: str) -> ToolCall | None:
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(said, dict)
        or not isinstance(said.get("name"), str)
        or not isinstance(said.get("arguments"), dict)
    ):
        return None
    return ToolCall("", said["name"], json.dumps(said["arguments"]))

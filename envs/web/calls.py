"""Actions written as text, as agents for BrowserGym (`click('12')`) and WebArena (`click [12]`) write them. Pure."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from agentgym.tools import Tool
from agentgym.types import ToolCall

_MAX = 20_000
_CALL = re.compile(r"\b([a-z_]+)\(.*\)", re.S)
_BRACKETS = re.compile(r"\b([a-z_]+)((?:\s*\[[^\[\]]*\])*)\s*$", re.S)
_ARGUMENT = re.compile(r"\[([^\[\]]*)\]")


def read_call(text: str, tools: Mapping[str, Tool]) -> ToolCall | None:
    """The first call of a known tool in `text`, whose arguments are still to be checked; None if there is none."""
    text = text[:_MAX]
    for match in _CALL.finditer(text):
        if (call := _python(match[0], tools)) is not None:
            return call
    return _webarena(text.strip().strip("`").strip(), tools)


def _python(text: str, tools: Mapping[str, Tool]) -> ToolCall | None:
    try:
        tree = ast.parse(text.partition("\n")[0] if text.count("(") > 1 and "\n" in text else text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.func.id not in tools:
        return None
    names = list(tools[tree.func.id].arguments.model_fields)
    try:
        given = dict(zip(names, (ast.literal_eval(each) for each in tree.args), strict=False))
        given |= {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
        return ToolCall("", tree.func.id, json.dumps(given))
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _webarena(text: str, tools: Mapping[str, Tool]) -> ToolCall | None:
    match = _BRACKETS.search(text)
    if match is None:
        return None
    name, given = match[1], _ARGUMENT.findall(match[2])
    called = _translate(name, given)
    if called is None or called[0] not in tools:
        return None
    return ToolCall("", called[0], json.dumps(called[1]))


def _translate(name: str, given: list[str]) -> tuple[str, dict[str, Any]] | None:
    match name, given:
        case (("click" | "hover"), [bid]):
            return name, {"bid": bid}
        case "type", [bid, text, *enter]:
            return "fill", {"bid": bid, "value": text, "press_enter": enter != ["0"]}
        case "press", [keys]:
            return "keyboard_press", {
                "key": "+".join(part.capitalize() if len(part) > 1 else part for part in keys.split("+"))
            }
        case "scroll", [("up" | "down") as way]:
            return "scroll", {"delta_x": 0, "delta_y": 300 if way == "down" else -300}
        case "goto", [url]:
            return "goto", {"url": url}
        case (("go_back" | "go_forward" | "new_tab"), []):
            return name, {}
        case "close_tab", []:
            return "tab_close", {}
        case "tab_focus", [index]:
            return "tab_focus", {"index": index}
        case "stop", _:
            return "send_msg_to_user", {"text": given[0] if given else ""}
    return None

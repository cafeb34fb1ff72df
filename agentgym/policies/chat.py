"""Messages as OpenAI's Chat Completions take them. Images go as data addresses, the last few of them if that is wished. Pure.

There a tool's message holds text only: what a tool showed follows its turn's replies in a message of the user's.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Literal

from agentgym.types import Blob, Message, Text

Detail = Literal["auto", "low", "high"]
DROPPED = "[an earlier image, no longer shown]"
SHOWN = "What the tools showed:"


def to_chat(
    messages: Sequence[Message], images: int | None = None, detail: Detail | None = None
) -> list[dict[str, Any]]:
    """The conversation. images: how many of the latest are sent, older ones being a note (None: all, 0: none).

    detail: how closely the endpoint is to look at an image (None: its own choice); what it makes smaller, it sees so.
    """
    count = sum(isinstance(part, Blob) for message in messages for part in _parts(message))
    dropped = 0 if images is None else max(0, count - images)
    made: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for message in messages:
        if message.role != "tool" and shown:
            made.append(_shown(shown))
            shown = []
        parts = []
        for part in _parts(message):
            parts.append(_part(part, dropped <= 0, detail))
            dropped -= isinstance(part, Blob)
        if message.role == "tool":
            shown += [part for part in parts if part["type"] != "text"]
            parts = [part for part in parts if part["type"] == "text"]
        made.append(_message(message, parts))
    return [*made, _shown(shown)] if shown else made


def _parts(message: Message) -> tuple[Text | Blob, ...]:
    return () if isinstance(message.content, str) else message.content


def _message(message: Message, parts: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role, "content": message.content}
    if not isinstance(message.content, str):
        out["content"] = "".join(part["text"] for part in parts) if message.role == "tool" else parts
    if message.tool_calls:
        out["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        out["tool_call_id"] = message.tool_call_id
    return out


def _shown(images: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": SHOWN}, *images]}


def _part(part: Text | Blob, kept: bool, detail: Detail | None) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if not kept:
        return {"type": "text", "text": DROPPED}
    address = {"url": f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"}
    return {"type": "image_url", "image_url": address if detail is None else {**address, "detail": detail}}

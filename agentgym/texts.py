"""Small operations on message texts: clipping to head and tail, adding a note. Pure functions."""

from __future__ import annotations

from dataclasses import replace

from agentgym.types import Content, Message, Text


def clip(text: str, limit: int | None) -> str:
    """`text` in at most about `limit` characters: head and tail, with what was left out said in the middle."""
    if limit is None or len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head
    dropped = len(text) - head - tail
    return f"{text[:head]}\n[... {dropped} characters left out ...]\n{text[len(text) - tail :]}"


def clip_content(content: Content, limit: int | None) -> Content:
    """`clip` for any message content: each text part by itself; blobs stay."""
    if isinstance(content, str):
        return content if limit is None or len(content) <= limit else clip(content, limit)
    return tuple(Text(clip(part.text, limit)) if isinstance(part, Text) else part for part in content)


def with_note(messages: tuple[Message, ...], note: Content) -> tuple[Message, ...]:
    """`messages` with `note` as a paragraph of its own at the end of the last one."""
    if not messages:
        return (Message("user", note),)
    last = messages[-1]
    content: Content
    if isinstance(last.content, str) and isinstance(note, str):
        content = f"{last.content}\n\n{note}"
    else:
        before = (Text(last.content),) if isinstance(last.content, str) else last.content
        content = (*before, Text(f"\n\n{note}")) if isinstance(note, str) else (*before, Text("\n\n"), *note)
    return (*messages[:-1], replace(last, content=content))

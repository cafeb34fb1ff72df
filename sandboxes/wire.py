"""Frames between a driver and the agent in its box: a 4-byte length, then fields each with a 4-byte length.

Not a serialiser: fields are bytes, numbers are ASCII, and both ends state how long a frame they will take, so a
hostile peer can neither make the other allocate without bound nor make it run anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LENGTH = struct.Struct(">I")
HEADER = _LENGTH.size
CHUNK = 1 << 18
"""How much of a stream goes in one frame."""


def encode(fields: Iterable[bytes | int | float]) -> bytes:
    """One frame, ready to write."""
    parts: list[bytes] = []
    for field in fields:
        data = field if isinstance(field, bytes) else repr(field).encode()
        parts += (_LENGTH.pack(len(data)), data)
    body = b"".join(parts)
    return _LENGTH.pack(len(body)) + body


def length(header: bytes, cap: int) -> int:
    """The body length that a header announces; ValueError past `cap`."""
    (size,) = _LENGTH.unpack(header)
    if size > cap:
        raise ValueError(f"a frame of {size} bytes where at most {cap} were due")
    return int(size)


def decode(body: bytes) -> list[bytes]:
    """The fields of a frame's body; ValueError if it is not exactly a sequence of them."""
    fields, at = [], 0
    while at < len(body):
        if at + HEADER > len(body):
            raise ValueError("a frame ends inside a length")
        (size,) = _LENGTH.unpack_from(body, at)
        at += HEADER
        if at + size > len(body):
            raise ValueError("a frame ends inside a field")
        fields.append(body[at : at + size])
        at += size
    return fields

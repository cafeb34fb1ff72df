"""coqidetop's XML: calls as bytes, answers as values. Knows no process; everything here is escaped both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from agentgym.envs.prover.backend import Goals
from agentgym.envs.prover.coq import printed

END = b"</value>"
"""What ends every answer: nothing else holds these bytes, since text is escaped."""
GOAL = b'<call val="Goal"><unit/></call>'
INIT = b'<call val="Init"><option val="none"/></call>'
_VALUE = b'<value val="'
_SOME, _SOME_END = b'<option val="some">', b"</option>"
_GOALS = _SOME + b"<goals>"
_HEAD = re.compile(rb'(good|fail)"[^<>]*>(?:(?:<pair>)?<state_id val="(\d+)"/>)?')
_MESSAGE = re.compile(rb"<message>(.*?)</message>", re.DOTALL)
_UNSAYABLE = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


@dataclass(slots=True)
class Answer:
    """One value. `state`: the id it names, if any; `goals`: None where it tells none; `messages` came before it."""

    good: bool
    state: int
    message: str
    goals: Goals | None
    messages: tuple[str, ...] = ()


def add(text: str, after: int) -> bytes:
    """Add the first sentence of `text` after state `after`, the tip. It is run by the next call for goals."""
    said = escape(text.translate(_UNSAYABLE))
    return (
        f'<call val="Add"><pair><pair><pair><pair><string>{said}</string><int>-1</int></pair><pair>'
        f'<state_id val="{after}"/><bool val="false"/></pair></pair><int>0</int></pair>'
        "<pair><int>0</int><int>0</int></pair></pair></call>"
    ).encode()


def edit_at(state: int) -> bytes:
    """Go back to `state`, an ancestor; what came after it is forgotten."""
    return f'<call val="Edit_at"><state_id val="{state}"/></call>'.encode()


def query(text: str, state: int) -> bytes:
    said = escape(text.translate(_UNSAYABLE))
    return (
        f'<call val="Query"><pair><route_id val="0"/><pair><string>{said}</string><state_id val="{state}"/></pair></pair></call>'
    ).encode()


def answers(said: bytes, count: int) -> list[Answer]:
    """The `count` answers in what coqidetop said, each with the messages before it.

    `said` ends with the last of them and has no other. Raises ValueError if it breaks the protocol.
    """
    found, at = [], 0
    try:
        for missing in range(count - 1, -1, -1):
            end = said.find(END, at) if missing else len(said) - len(END)
            found.append(_answer(said, at, end))
            at = end + len(END)
    except ValueError as error:
        raise ValueError(f"the prover broke its protocol: {error}") from None
    return found


def _answer(said: bytes, begin: int, end: int) -> Answer:
    """The answer in `said[begin:end]`; of long ones nothing is copied but the goals."""
    at = said.find(_VALUE, begin, end)
    head = _HEAD.match(said, at + len(_VALUE), end) if at >= 0 else None
    if head is None or not said.startswith(END, end):
        raise ValueError(f"an answer was expected: {said[begin : begin + 100]!r}")
    messages: tuple[str, ...] = ()
    if said.find(b"<message>", begin, at) >= 0:
        messages = tuple(map(printed.text, _MESSAGE.findall(said, begin, at)))
    good, state, rest = head[1] == b"good", int(head[2] or 0), head.end()
    if not good:
        return Answer(False, state, printed.text(said[rest:end]), None, messages)
    told = said.startswith(_GOALS, rest)
    goals = printed.Listed(said[rest + len(_SOME) : end - len(_SOME_END)]) if told else None
    return Answer(True, state, "", goals, messages)

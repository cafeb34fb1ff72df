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
_VALUE, _GOALS = b'<value val="', b'<option val="some"><goals>'
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


def answers(said: bytes) -> list[Answer]:
    """All answers in what coqidetop said, each with the messages before it. Raises ValueError if it breaks the protocol."""
    *values, rest = said.split(END)
    if rest:
        raise ValueError(f"the prover broke its protocol: {rest[:100]!r} after its answers")
    try:
        return [_answer(*value.partition(_VALUE)) for value in values]
    except ValueError as error:
        raise ValueError(f"the prover broke its protocol: {error}") from None


def _answer(before: bytes, tag: bytes, value: bytes) -> Answer:
    head = _HEAD.match(value)
    if not tag or head is None:
        raise ValueError(f"an answer was expected: {(before + tag + value)[:100]!r}")
    messages = tuple(map(printed.text, _MESSAGE.findall(before))) if b"<message>" in before else ()
    good, state = head[1] == b"good", int(head[2] or 0)
    if not good:
        return Answer(False, state, printed.text(value[head.end() :]), None, messages)
    goals = printed.goals(value[head.end() :]) if value.startswith(_GOALS, head.end()) else None
    return Answer(True, state, "", goals, messages)

"""coqidetop's XML: calls as bytes, answers as values. Knows no process; everything here is escaped both ways.

Written to what Coq 8.16 says; Rocq 9 is said to speak the same and was not tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from agentgym.envs.prover.backend import Goal, Goals

END = b"</value>"
"""What ends every answer: nothing else holds these bytes, since text is escaped."""
GOAL = b'<call val="Goal"><unit/></call>'
INIT = b'<call val="Init"><option val="none"/></call>'
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
    """All answers in what coqidetop said, each with the messages before it. Raises ValueError if it is not XML."""
    try:
        tree = ElementTree.fromstring(b"<said>" + said.replace(b"&nbsp;", b" ") + b"</said>")
    except ElementTree.ParseError as error:
        raise ValueError(f"the prover broke its protocol: {error}") from None
    found, messages = [], []
    for each in tree:
        if each.tag == "feedback":
            messages += [_text(part) for part in each.iterfind("feedback_content[@val='message']/message/ppdoc")]
        elif each.tag == "value":
            found.append(_answer(each, tuple(messages)))
            messages = []
    return found


def _answer(value: ElementTree.Element, messages: tuple[str, ...]) -> Answer:
    good = value.get("val") == "good"
    state = value.find("pair/state_id") if good else value.find("state_id")
    number = int(state.get("val", "0")) if state is not None else 0
    said = value.find("ppdoc")
    goals = value.find("option/goals")
    return Answer(good, number, _text(said) if said is not None else "", _goals(goals), messages)


def _goals(goals: ElementTree.Element | None) -> Goals | None:
    if goals is None:
        return None
    here, behind, shelved, given_up = (tuple(map(_goal, layer.iter("goal"))) for layer in goals)
    return Goals(here, behind, shelved, given_up)


def _goal(goal: ElementTree.Element) -> Goal:
    _, hypotheses, conclusion, *_ = goal
    return Goal(tuple(_text(each) for each in hypotheses), _text(conclusion))


def _text(document: ElementTree.Element) -> str:
    """A printed document, whole and without line breaks that only width asks for.

    Coq's other format, rendered text, stops with "..." after fifty boxes: different goals would look the same.
    """
    parts = []
    for each in document.iter("ppdoc"):
        match each.get("val"):
            case "string":
                parts.append(each[0].text or "")
            case "break":
                parts.append(" " * int(each[0][0].text or 0))
            case "newline":
                parts.append("\n")
    return "".join(parts).strip()

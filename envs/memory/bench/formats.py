"""Files of LoCoMo, LongMemEval and MemoryAgentBench as tasks. The files are yours: none of their data is part of this.

Which format a row has is told by its fields.  How answers are scored without a judge: LoCoMo's by its own stemmed F1 and
categories, MemoryAgentBench's by substring match (as it does itself), LongMemEval's by token F1 (its judge is a model).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, model_validator

from agentgym.envs.memory.match import UNKNOWN, Question
from agentgym.envs.swe.swebench.rows import Row, parse
from agentgym.errors import TaskError
from agentgym.tasks import Task

ENV = "memory/bench-v0"
_LINE = 2_000
_SESSION = re.compile(r"session_(\d+)")
_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
Text = str | int | float


class _LocomoQuestion(BaseModel):
    question: str
    answer: Text | None = None
    category: int = Field(ge=1, le=5)

    @model_validator(mode="after")
    def _answered(self) -> _LocomoQuestion:
        if self.answer is None and self.category != 5:
            raise ValueError("a question of categories 1 to 4 needs an answer")
        return self


class _LocomoTurn(BaseModel):
    speaker: str
    text: str
    blip_caption: str = ""


class _Locomo(BaseModel):
    sample_id: str = ""
    conversation: dict[str, Any]
    qa: list[_LocomoQuestion] = Field(min_length=1)


class _Said(BaseModel):
    role: str
    content: str


class _LongMemEval(BaseModel):
    question_id: str
    question_type: str
    question: str
    answer: Text
    question_date: str = ""
    haystack_dates: list[str]
    haystack_sessions: list[list[_Said]] = Field(min_length=1)

    @model_validator(mode="after")
    def _dated(self) -> _LongMemEval:
        if len(self.haystack_dates) != len(self.haystack_sessions):
            raise ValueError(f"{len(self.haystack_dates)} dates for {len(self.haystack_sessions)} sessions")
        return self


class _MemoryAgentBench(BaseModel):
    context: str = Field(min_length=1)
    questions: list[str] = Field(min_length=1)
    answers: list[list[Text] | Text]
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _answered(self) -> _MemoryAgentBench:
        if len(self.answers) != len(self.questions):
            raise ValueError(f"{len(self.answers)} answers for {len(self.questions)} questions")
        return self


def task_of(row: Row, where: str, number: int) -> Task:
    """The task that a row is. Raises TaskError naming the place and the field, or the formats, if it is of none."""
    if "haystack_sessions" in row:
        return _longmemeval(parse(_LongMemEval, row, where), number)
    if "context" in row and "questions" in row:
        return _memoryagentbench(parse(_MemoryAgentBench, row, where), number)
    if "qa" in row:
        if "conversation" not in row:
            row = {**row, "conversation": {name: value for name, value in row.items() if name != "qa"}}
        return _locomo(parse(_Locomo, row, where), where, number)
    raise TaskError(
        f"{where}: neither LoCoMo (conversation, qa) nor LongMemEval (haystack_sessions) nor MemoryAgentBench (context, "
        f"questions, answers); its fields are {', '.join(sorted(row)[:8])}"
    )


def _locomo(data: _Locomo, where: str, number: int) -> Task:
    lines = list(_locomo_lines(data.conversation, where))
    if not lines:
        raise TaskError(f"{where}: the conversation has no session_1, session_2, …")
    questions = [
        Question(
            *(f"q{n}", _CATEGORIES[each.category], each.question, "locomo"),
            (UNKNOWN,) if each.category == 5 else (str(each.answer),),
            {"category": each.category},
        )
        for n, each in enumerate(data.qa)
    ]
    return _task("locomo", data.sample_id or str(number), lines, questions)


def _locomo_lines(conversation: dict[str, Any], where: str) -> Iterator[str]:
    names = [name for name in conversation if _SESSION.fullmatch(name) and conversation[name]]
    for name in sorted(names, key=lambda name: int(name.partition("_")[2])):
        date = conversation.get(f"{name}_date_time", "")
        if not isinstance(conversation[name], list):
            raise TaskError(f"{where}: {name} is no list of turns")
        for place, raw in enumerate(conversation[name]):
            turn = parse(_LocomoTurn, raw if isinstance(raw, dict) else {}, f"{where}, {name}, turn {place}")
            photo = f" (a photo: {turn.blip_caption})" if turn.blip_caption else ""
            yield f"[{date}] {turn.speaker}: {turn.text}{photo}"


def _longmemeval(data: _LongMemEval, number: int) -> Task:
    lines = [
        f"[{date}] {said.role}: {said.content}"
        for date, session in zip(data.haystack_dates, data.haystack_sessions, strict=True)
        for said in session
    ]
    text = f"{data.question} (asked on {data.question_date})" if data.question_date else data.question
    answers = (UNKNOWN,) if data.question_id.endswith("_abs") else (str(data.answer),)
    return _task("longmemeval", data.question_id, lines, [Question("q0", data.question_type, text, "text", answers)])


def _memoryagentbench(data: _MemoryAgentBench, number: int) -> Task:
    kind = str(data.metadata.get("source", "question"))
    questions = []
    for n, (text, given) in enumerate(zip(data.questions, data.answers, strict=True)):
        answers = tuple(str(each) for each in given) if isinstance(given, list) else (str(given),)
        questions.append(Question(f"q{n}", kind, text, "contains", answers))
    return _task("memoryagentbench", str(number), data.context.split("\n"), questions)


def _task(source: str, name: str, lines: list[str], questions: list[Question]) -> Task:
    payload = {"about": "", "lines": [part for line in lines for part in _cut(line)]}
    secret = {"questions": [question.dump() for question in questions]}
    return Task(f"{source}-{name}", ENV, payload, secret, "test", (source, *sorted({q.kind for q in questions})))


def _cut(line: str) -> list[str]:
    """A line in parts that fit into a chunk; none of an empty one."""
    line = " ".join(line.split())
    return [line] if 0 < len(line) <= _LINE else textwrap.wrap(line, _LINE, break_on_hyphens=False)

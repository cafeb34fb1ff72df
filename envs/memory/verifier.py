"""The verdict on a memory: how well questions are answered from it, what it leaks, how exact and how large it is. No model.

Answers are the answerer's where there was one, else those of the environment's exact reader.  What a memory of this
environment can be read for is the `Reading`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

from agentgym.envs.memory import match
from agentgym.envs.memory.match import Question
from agentgym.envs.memory.published import mem_alpha_reward
from agentgym.envs.memory.store import Memory, tokens
from agentgym.errors import TaskError
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier


class Reading(Protocol):
    """How memories of one environment are read without a model."""

    def answer(self, question: Question, memory: Memory) -> str:
        """The answer going by what retrieval finds in `memory`; "unknown" if that does not tell."""

    def inspect(self, task: Task, memory: Memory) -> dict[str, float]:
        """What can be said of the memory itself, by channel."""


class MemoryVerifier(Verifier):
    name = "memory"
    version = "1"

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        task = evidence.task
        memory = Memory.load(evidence.artefacts["memory"])
        questions = [Question.load(raw) for raw in task.secret["questions"]]
        if not any(question.answerable for question in questions):
            raise TaskError(f"task {task.id} has no question that can be answered")
        given = self._answers(evidence.artefacts.get("answers"), questions, memory)
        right = [match.right(question, given[question.id]) for question in questions]
        leaked = _leaked(task.secret.get("forgotten", ()), memory)
        quality = known(questions, right) * (1.0 - leaked)
        share = memory.size / max(1, sum(tokens(line) for line in task.payload["lines"]))
        found = {
            "quality": quality,
            "compact": quality * max(0.0, 1.0 - memory.size / memory.budget),
            "format": _format(evidence),
            "accuracy": sum(right) / len(right),
            "leaked": leaked,
            "size": float(memory.size),
            "size_share": share,
            **_published_measures(questions, given),
            **self._reading.inspect(task, memory),
            "mem_alpha": mem_alpha_reward(evidence.turns, sum(right) / len(right), share),
        }
        wrong = [
            f"{question.kind}: {question.text} {question.answers[0]!r}, not {given[question.id]!r}"
            for question, value in zip(questions, right, strict=True)
            if value < 1
        ]
        reason = "; ".join(wrong)[:2_000]
        return [Score(name, value, reason=reason if name == "quality" else "") for name, value in found.items()]

    def _answers(self, said: str | None, questions: Sequence[Question], memory: Memory) -> Mapping[str, str]:
        if said is None:
            return {question.id: self._reading.answer(question, memory) for question in questions}
        answers = json.loads(said)
        return {question.id: str(answers.get(question.id, "")) for question in questions}


def known(questions: Sequence[Question], right: Sequence[float]) -> float:
    """Mean rightness, where saying "unknown" rightly is worth no more than knowing: an empty memory has 0."""
    knowing = [value for question, value in zip(questions, right, strict=True) if question.answerable]
    silent = [value for question, value in zip(questions, right, strict=True) if not question.answerable]
    told = sum(knowing) / len(knowing)
    quiet = sum(silent) / len(silent) if silent else 0.0
    return (len(knowing) * told + len(silent) * min(told, quiet)) / len(questions)


def _leaked(forgotten: Sequence[Sequence[str]], memory: Memory) -> float:
    """The share of what was to be forgotten whose value still stands somewhere."""
    if not forgotten:
        return 0.0
    text = "\n".join(memory.texts)
    return sum(value in text for _, _, value in forgotten) / len(forgotten)


def _format(evidence: Evidence) -> float:
    """The share of writing calls that did what they should."""
    values = [score.value or 0.0 for turn in evidence.turns for score in turn.info.scores if score.channel == "call"]
    return sum(values) / len(values) if values else 1.0


def _published_measures(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, float]:
    """Means over all questions of the field's measures, as if unknown were an answer like any other."""
    pairs = [(question, given[question.id]) for question in questions]
    em = [max(match.squad_em(gold, said) for gold in question.answers) for question, said in pairs]
    f1 = [max(match.squad_f1(gold, said) for gold in question.answers) for question, said in pairs]
    locomo = [
        max(match.locomo_f1(gold, said, category(question)) for gold in question.answers) for question, said in pairs
    ]
    return {name: sum(values) / len(values) for name, values in (("em", em), ("f1", f1), ("locomo_f1", locomo))}


def category(question: Question) -> int:
    """LoCoMo's category of a question; 4, single-hop, where none fits."""
    if not question.answerable:
        return 4  # ours says "unknown", which LoCoMo's wording for category 5 does not know
    by_type = {"date": 2, "members": 1}
    return int(question.query.get("category", by_type.get(question.type, 4)))

"""The questions, once everything is read: put one by one to the actor "answerer", who sees what was kept and nothing else.

Mem-alpha's way shows the core and what retrieval finds.  Memory-R1's answer agent first distils: it names the memories that
matter, and answers in a context that holds only these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentgym.envs.memory.match import UNKNOWN, Question
from agentgym.envs.memory.store import Memory
from agentgym.types import Message, Observation

ACTOR = "answerer"
ANSWER_CHARS = 2_000
_HOW = f"Answer from these memories alone, with the answer itself and nothing else. Days are written like 2024-05-02, lists with commas. If the memories do not tell, answer: {UNKNOWN}"
_DISTIL = "Call distil with the ids of those that help to answer, or answer at once."


class Answering:
    """Where the questioning stands. `place` is the question that is open, `kept` what was distilled for it."""

    def __init__(
        self,
        memory: Memory,
        questions: Sequence[Question],
        distils: bool,
        answers: dict[str, str] | None = None,
        kept: list[str] | None = None,
        place: int = 0,
    ) -> None:
        self._memory, self._questions, self._distils = memory, questions, distils
        self.answers, self._kept, self._place = dict(answers or {}), kept, place

    def observation(self) -> Observation | None:
        """The open question; None when all are answered."""
        if self._place >= len(self._questions):
            return None
        question, memory = self._questions[self._place], self._memory
        ids = memory.search(question.text) if self._kept is None else self._kept
        listed = "\n".join(f"[{id}] {memory.text_of(id)}" for id in ids)
        asking = self._distils and self._kept is None and bool(ids)
        parts = [
            f"Core memory:\n{memory.core}" if memory.core else "",
            f"Memories:\n{listed or '(none)'}",
            f"{_DISTIL}\n{_HOW}" if asking else _HOW,
            f"Question {self._place + 1} of {len(self._questions)}: {question.text}",
        ]
        message = Message("user", "\n\n".join(part for part in parts if part))
        return Observation((message,), ("distil",) if asking else (), fresh=True, actor=ACTOR)

    def answer(self, text: str) -> None:
        """The answer to the open question: the last line of `text`, or what follows "Answer:" in it."""
        last = text.strip().rpartition("\n")[2].strip()
        self._close(last.rpartition("Answer:")[2].strip() if "Answer:" in last else last)

    def distil(self, ids: Sequence[str]) -> int:
        """From now on only these are shown for the open question; how many of them there are."""
        self._kept = [id for id in dict.fromkeys(ids) if self._memory.kind_of(id)]
        return len(self._kept)

    def skip(self) -> None:
        """The answerer did something else than answering: that is its answer."""
        self._close("")

    def _close(self, answer: str) -> None:
        self.answers[self._questions[self._place].id] = answer[:ANSWER_CHARS]
        self._place, self._kept = self._place + 1, None

    def state(self) -> dict[str, Any]:
        return {"answers": dict(self.answers), "kept": self._kept, "place": self._place}

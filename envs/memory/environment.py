"""Reading a long text piece by piece, each in a fresh context, with a memory as all that remains; then the questions.

Writing is done with the tools of one of two systems (`mem_alpha.py`, `memory_r1.py`).  Questions are shown to nobody before the
last piece is read; who answers sees the memory and nothing else (`answering.py`).  A task's payload holds "lines" and "about",
and may hold "facts" (which lines Memory-R1's extractor passes on) and "least" (what a budget is at the least, in tokens); its secret
holds "questions".
"""

from __future__ import annotations

import json
import re
from typing import Any

from agentgym.envs.memory import mem_alpha, memory_r1
from agentgym.envs.memory.answering import Answering
from agentgym.envs.memory.match import Question
from agentgym.envs.memory.mem_alpha import MemAlphaTools
from agentgym.envs.memory.memory_r1 import MemoryR1Tools
from agentgym.envs.memory.pieces import Piece, chunks, single_lines
from agentgym.envs.memory.store import Memory, tokens
from agentgym.errors import TaskError, ToolError
from agentgym.tools import tool
from agentgym.types import Message, Observation

SEARCH = "search_memory"
_HEAD = re.compile(r"^Part (\d+) of (\d+), lines (\d+) to (\d+):$", re.M)


class MemoryEnvironment(MemAlphaTools, MemoryR1Tools):
    """`memory` is what was written so far, `place` the piece being read, `answering` the questioning once it has begun."""

    questions: list[Question]
    answering: Answering | None
    looked: int
    failures: tuple[str, ...]

    async def on_reset(self) -> Observation:
        payload, secret = self.task.payload, self.task.secret
        lines, config = payload.get("lines"), self.config
        if not isinstance(lines, list) or not lines or not secret.get("questions"):
            raise TaskError(f"task {self.task.id}: its payload needs lines and its secret questions")
        self.questions = [Question.load(raw) for raw in secret["questions"]]
        size = tokens("\n".join(lines))
        budget = max(config.item, int(size * config.budget), payload.get("least", 0))
        self.memory = Memory(budget, config.item, config.core, config.retrieval, config.found)
        self.pieces = self._pieces()
        self.place, self.looked, self.failures = 0, 0, ()
        self.answering = None
        return self._next_piece()

    async def on_text(self, text: str) -> None:
        """While reading: nothing is to be noted. Else it is the answer."""
        if self.answering is not None:
            self.answering.answer(text)

    async def on_turn(self) -> Observation | None:
        if self.ended is not None:
            return None
        if self.answering is not None:
            if self.results and not any(result.name == "distil" and result.ok for result in self.results):
                self.answering.skip()
            return self._next_question()
        self._judge_calls()
        if self.results and all(result.name == SEARCH for result in self.results) and self.looked < self.config.looks:
            self.looked += 1
            return None
        self.failures = tuple(f"{result.name}: {result.error}" for result in self.results if result.error)
        self.place, self.looked = self.place + 1, 0
        if self.place < len(self.pieces):
            return self._next_piece()
        self.tell(memory=self.memory.dump())  # an answerer that fails takes nothing of it away
        if self.config.answerer == "reader":
            self.end("read")
            return None
        self.answering = Answering(self.memory, self.questions, distils=self.config.system == "memory-r1")
        return self._next_question()

    @tool
    def distil(self, memory_ids: list[str]) -> None:
        """Choose the memories that help to answer; you will see only these.

        Args:
            memory_ids: Their ids.
        """
        if self.answering is None:
            raise ToolError("there is no question yet")
        self.answering.distil(memory_ids)

    async def state(self) -> Any:
        said = None if self.answering is None else self.answering.state()
        return {"memory": self.memory.state(), "place": self.place, "looked": self.looked, "answering": said}

    async def save(self) -> Any:
        said = None if self.answering is None else self.answering.state()
        return self.memory.copy(), self.place, self.looked, self.failures, said

    async def load(self, native: Any) -> None:
        memory, self.place, self.looked, self.failures, said = native
        self.memory, self.pieces = memory.copy(), self._pieces()
        self.questions = [Question.load(raw) for raw in self.task.secret["questions"]]
        self.answering = None
        if said is not None:
            self.answering = Answering(self.memory, self.questions, self.config.system == "memory-r1", **said)

    async def artefacts(self) -> dict[str, str]:
        """The memory; under "answers", where somebody was asked, JSON of what was said by question."""
        kept = {"memory": self.memory.dump()}
        if self.config.answerer == "actor":
            kept["answers"] = json.dumps({} if self.answering is None else self.answering.answers)
        return kept

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def _pieces(self) -> list[Piece]:
        payload = self.task.payload
        if self.config.system == "memory-r1":
            return single_lines(payload["lines"], payload.get("facts"))
        return chunks(payload["lines"], self.config.chunk)

    def _next_piece(self) -> Observation:
        piece, config = self.pieces[self.place], self.config
        r1 = config.system == "memory-r1"
        parts = [
            self.r1_instructions() if r1 else self.alpha_instructions(),
            str(self.task.payload.get("about", "")),
            self.related(piece.text) if r1 else self.overview(),
            "\n".join(["These calls of your last message failed:", *self.failures]) if self.failures else "",
            f"Part {self.place + 1} of {len(self.pieces)}, lines {piece.first + 1} to {piece.last}:\n{piece.text}",
        ]
        text = "\n\n".join(part for part in parts if part)
        tools = memory_r1.NAMES if r1 else mem_alpha.NAMES
        return Observation((Message("user", text),), tools, fresh=True)

    def _next_question(self) -> Observation | None:
        assert self.answering is not None
        observation = self.answering.observation()
        if observation is None:
            self.end("answered")
        return observation

    def _judge_calls(self) -> None:
        """One score for each writing call of this turn: whether it did what it should."""
        for result in self.results:
            if result.name != SEARCH:
                self.score("call", float(result.ok and result.effective), result.error[:200])


def lines_shown(text: str) -> tuple[int, int]:
    """From the text of an observation: which lines of the stream it holds, as a half-open range."""
    found = _HEAD.search(text)
    return (0, 0) if found is None else (int(found[3]) - 1, int(found[4]))

"""The tools of Memory-R1's manager (arXiv 2508.19828): for each fact ADD, UPDATE, DELETE or NOOP, beside related memories.

One list of memories, kept as semantic items.  Which lines are facts is said by the task where it knows (its stand-in for the
paper's extractor); else every line is one.  A call without content keeps the fact as it was said.
"""

from __future__ import annotations

from agentgym.envs.memory.writing import Writing
from agentgym.tools import tool

NAMES = ("add", "update", "delete", "noop")
_INSTRUCTIONS = """\
You keep a memory of a long conversation. You see one line of it at a time, beside the memories that seem related; in the end \
questions are answered from the memory alone. Decide: add it, update a memory with it, delete memories that it makes void, or do \
nothing (noop). {used} of {budget} tokens are in use."""


class MemoryR1Tools(Writing):
    """Writes into the semantic list of `self.memory`."""

    def r1_instructions(self) -> str:
        return _INSTRUCTIONS.format(used=self.memory.size, budget=self.memory.budget)

    def related(self, line: str) -> str:
        found = self.memory.search(line, self.config.shown) if self.config.shown else []
        listed = "\n".join(f"[{id}] {self.memory.semantic[id]}" for id in found)
        return f"Related memories:\n{listed or '(none)'}"

    @tool
    def add(self, content: str = "") -> str:
        """Keep a new memory.

        Args:
            content: The text to keep; the line itself if left out.
        """
        self.count_call()
        return f"kept as {self.memory.insert('semantic', content or self._line)}"

    @tool
    def update(self, memory_id: str, content: str = "") -> str:
        """Replace the text of a memory.

        Args:
            memory_id: The memory.
            content: The whole new text; the line itself if left out.
        """
        self.count_call()
        self.memory.update("semantic", memory_id, content or self._line)
        return f"memory {memory_id} replaced"

    @tool
    def delete(self, memory_id: str) -> str:
        """Delete a memory.

        Args:
            memory_id: The memory.
        """
        self.count_call()
        self.memory.delete("semantic", memory_id)
        return f"memory {memory_id} deleted"

    @tool
    def noop(self) -> None:
        """Do nothing about this line."""
        self.count_call()

    @property
    def _line(self) -> str:
        return self.pieces[self.place].text

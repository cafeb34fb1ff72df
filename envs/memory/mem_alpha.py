"""The tools of Mem-alpha (arXiv 2509.25911): three kinds of memory, written in one turn a chunk. Names are the paper's."""

from __future__ import annotations

import re
from typing import Literal

from agentgym.envs.memory.store import Kind
from agentgym.envs.memory.writing import Writing
from agentgym.errors import ToolError
from agentgym.tools import tool
from agentgym.types import Reply

ListType = Literal["semantic_memory", "episodic_memory"]
AnyType = Literal["core_memory", "semantic_memory", "episodic_memory"]
NAMES = ("new_memory_insert", "memory_update", "memory_delete", "search_memory")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2} [A-Z][a-z]+ \d{4}\b")
_INSTRUCTIONS = """\
You read a long text part by part. You will not see a part again, and you will forget this conversation: what you write into the \
memory is all that remains. In the end questions are answered from the memory alone.
Core memory: one paragraph of at most {core} tokens. Semantic memory: facts. Episodic memory: events, with their dates.
Write by calling tools, as many as you need, all in one message; a message without a call keeps nothing. Correct what has \
changed, and delete what you are asked to forget. {used} of {budget} tokens are in use."""


class MemAlphaTools(Writing):
    """Writes into `self.memory`."""

    def alpha_instructions(self) -> str:
        memory = self.memory
        return _INSTRUCTIONS.format(core=memory.core_limit, used=memory.size, budget=memory.budget)

    def overview(self) -> str:
        """The core and the most recent items of both lists."""
        parts = [f"Core memory:\n{self.memory.core or '(empty)'}"]
        shown = self.config.shown
        for name, items in (("Semantic", self.memory.semantic), ("Episodic", self.memory.episodic)):
            recent = list(items.items())[-shown:] if shown else []
            listed = "\n".join(f"[{id}] {text}" for id, text in recent) or "(none shown)"
            parts.append(f"{name} memory, {len(recent)} of {len(items)} items:\n{listed}")
        return "\n\n".join(parts)

    @tool
    def new_memory_insert(self, memory_type: ListType, content: str) -> str:
        """Keep a new item.

        Args:
            memory_type: Which list it goes to.
            content: The text to keep.
        """
        self.count_call()
        id = self.memory.insert(_kind(memory_type), content)
        self._typed(memory_type, content)
        return f"kept as {id}"

    @tool
    def memory_update(self, memory_type: AnyType, new_content: str, memory_id: str = "") -> str:
        """Replace the core paragraph, or the text of an item.

        Args:
            memory_type: Where it is.
            new_content: The whole new text.
            memory_id: The item; not needed for the core.
        """
        self.count_call()
        if memory_type == "core_memory":
            cut = self.memory.set_core(new_content)
            return f"replaced, cut to {self.memory.core_limit} tokens" if cut else "replaced"
        self.memory.update(_kind(memory_type), memory_id, new_content)
        self._typed(memory_type, new_content)
        return f"item {memory_id} replaced"

    @tool
    def memory_delete(self, memory_type: AnyType, memory_id: str = "") -> str:
        """Delete an item, or empty the core.

        Args:
            memory_type: Where it is.
            memory_id: The item; not needed for the core.
        """
        self.count_call()
        if memory_type == "core_memory":
            if not self.memory.core:
                raise ToolError("the core memory is empty already")
            self.memory.set_core("")
            return "core memory emptied"
        self.memory.delete(_kind(memory_type), memory_id)
        return f"item {memory_id} deleted"

    @tool
    def search_memory(
        self, memory_type: ListType, query: str, search_method: Literal["bm25", "fts5"] | None = None
    ) -> Reply:
        """Look for items; a message of searches alone does not end this part (a few times).

        Args:
            memory_type: Which list to look into.
            query: Words to look for.
            search_method: How to rank what is found.
        """
        self.count_call()
        kind = _kind(memory_type)
        found = self.memory.search(query, kind=kind, index=search_method)
        listed = "\n".join(f"[{id}] {self.memory.items(kind)[id]}" for id in found)
        return Reply(listed or "nothing found", effective=bool(found))

    def _typed(self, memory_type: str, content: str) -> None:
        """The rule that stands for Mem-alpha's judge of types: an episode has a date."""
        self.score("typed", float(memory_type == "semantic_memory" or _DATE.search(content) is not None))


def _kind(memory_type: str) -> Kind:
    return "semantic" if memory_type == "semantic_memory" else "episodic"

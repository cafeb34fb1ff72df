"""Memory: a core paragraph and two lists of items, semantic and episodic, as in Mem-alpha (arXiv 2509.25911).

Ids are counted, not drawn, so that replays agree.  Limits are enforced here, with reasons that an agent can act on.  How
items are found is `retrieval.py`'s business; which tools write is `mem_alpha.py`'s and `memory_r1.py`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from agentgym.envs.memory.retrieval import Index, make_index
from agentgym.errors import TaskError, ToolError

Kind = Literal["semantic", "episodic"]
TOKEN_CHARS = 4


def tokens(text: str) -> int:
    """The size of a text: a token is four characters, whatever the model."""
    return -(-len(text) // TOKEN_CHARS)


@dataclass(slots=True)
class Memory:
    """What is kept. budget, item and core limits are in tokens; `index` names the retrieval, `top` what it returns at most.

    Every write raises ToolError, saying why, and then leaves the memory as it was.
    """

    budget: int
    item_limit: int = 512
    core_limit: int = 512
    index: str = "fts5"
    top: int = 20
    core: str = ""
    semantic: dict[str, str] = field(default_factory=dict)
    episodic: dict[str, str] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    _found: Index | None = field(default=None, repr=False, compare=False)

    def items(self, kind: Kind) -> dict[str, str]:
        return self.semantic if kind == "semantic" else self.episodic

    def insert(self, kind: Kind, text: str) -> str:
        """Keep a new item; its id."""
        text = self._checked(text)
        if text in self.items(kind).values():
            raise ToolError(f"skipped: the {kind} memory has this very text already")
        self._charge(tokens(text))
        self.count += 1
        id = f"{self.count:04x}"
        self.items(kind)[id] = text
        if self._found is not None:
            self._found.put(id, text)
        return id

    def update(self, kind: Kind, id: str, text: str) -> None:
        text, old = self._checked(text), self._get(kind, id)
        if text == old:
            raise ToolError(f"skipped: item {id} says so already")
        self._charge(tokens(text) - tokens(old))
        self.items(kind)[id] = text
        if self._found is not None:
            self._found.put(id, text)

    def delete(self, kind: Kind, id: str) -> None:
        self._charge(-tokens(self._get(kind, id)))
        del self.items(kind)[id]
        if self._found is not None:
            self._found.drop(id)

    def set_core(self, text: str) -> bool:
        """Replace the core paragraph; whether it had to be cut to its limit."""
        text = _storable(text.strip())
        kept = text[: self.core_limit * TOKEN_CHARS]
        self._charge(tokens(kept) - tokens(self.core))
        self.core = kept
        return kept != text

    def kind_of(self, id: str) -> Kind | None:
        return "semantic" if id in self.semantic else "episodic" if id in self.episodic else None

    def text_of(self, id: str) -> str:
        kind = self.kind_of(id)
        return "" if kind is None else self.items(kind)[id]

    def search(
        self, query: str, top: int | None = None, kind: Kind | None = None, index: str | None = None
    ) -> list[str]:
        """Ids of the items that fit `query` best, at most `top` of them."""
        if index is not None and index != self.index:
            found = make_index(index, self._all())
        else:
            found = self._found = self._found or make_index(self.index, self._all())
        ids = found.search(query, (top or self.top) if kind is None else len(self.semantic) + len(self.episodic))
        return [id for id in ids if kind is None or id in self.items(kind)][: top or self.top]

    @property
    def texts(self) -> list[str]:
        """All that it holds, the core first, items in the order of their making."""
        items = sorted([*self.semantic.items(), *self.episodic.items()])
        return [*([self.core] if self.core else []), *(text for _, text in items)]

    def copy(self) -> Memory:
        """An independent copy; its index is made anew when it is searched."""
        return Memory(**{**self._limits(), **self._content()})

    def state(self) -> dict[str, Any]:
        """Its content as a JSON-able value."""
        return {"core": self.core, "semantic": self.semantic, "episodic": self.episodic, "count": self.count}

    def dump(self) -> str:
        return json.dumps({**self._limits(), **self._content()}, ensure_ascii=False)

    @classmethod
    def load(cls, text: str) -> Memory:
        """Raises TaskError for what `dump` did not write."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise TaskError(f"not a dumped memory: {error}") from None

    def _limits(self) -> dict[str, Any]:
        names = ("budget", "item_limit", "core_limit", "index", "top")
        return {name: getattr(self, name) for name in names}

    def _content(self) -> dict[str, Any]:
        lists = {"semantic": dict(self.semantic), "episodic": dict(self.episodic)}
        return {"core": self.core, **lists, "count": self.count, "size": self.size}

    def _all(self) -> dict[str, str]:
        return {**self.semantic, **self.episodic}

    def _get(self, kind: Kind, id: str) -> str:
        items = self.items(kind)
        if id not in items:
            near = f"its ids are like {', '.join(list(items)[-5:])}" if items else "it is empty"
            raise ToolError(f"the {kind} memory has no item {id[:20]!r}: {near}")
        return items[id]

    def _checked(self, text: str) -> str:
        text = _storable(text.strip())
        if not text:
            raise ToolError("nothing to keep: the content is empty")
        if tokens(text) > self.item_limit:
            raise ToolError(f"too long: an item has at most {self.item_limit} tokens, this has {tokens(text)}")
        return text

    def _charge(self, more: int) -> None:
        if more > 0 and self.size + more > self.budget:
            left = self.budget - self.size
            raise ToolError(
                f"the memory is full: {left} of {self.budget} tokens are left, this takes {more}; delete or shorten items"
            )
        self.size += more


def _storable(text: str) -> str:
    """Without what no file can hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")

"""Finding items by words: SQLite's FTS5, or Okapi BM25 with Mem-alpha's constants. Both are kept up to date by each write.

Neither ever runs what it is given: a query is cut into words first.  Equal scores go to the item with the lower id.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from agentgym.errors import UsageError

WORD = re.compile(r"\w+")
_QUERY_WORDS = 64


class Index(Protocol):
    def put(self, id: str, text: str) -> None: ...

    def drop(self, id: str) -> None: ...

    def search(self, query: str, top: int) -> list[str]: ...


def make_index(name: str, items: Mapping[str, str]) -> Index:
    """An index of kind `name` ("fts5", "bm25") over `items`. Raises UsageError for another name."""
    if name not in INDEXES:
        raise UsageError(f"no retrieval {name!r}: there are {', '.join(INDEXES)}")
    index = INDEXES[name]()
    for id, text in items.items():
        index.put(id, text)
    return index


class Bm25:
    """Okapi BM25 over lower-cased words, k1 1.5, b 0.75, as rank-bm25's BM25Okapi (epsilon 0.25 for words in most items)."""

    def __init__(self, k1: float = 1.5, b: float = 0.75, epsilon: float = 0.25) -> None:
        self._k1, self._b, self._epsilon = k1, b, epsilon
        self._words: dict[str, Counter[str]] = {}
        self._sizes: dict[str, int] = {}
        self._with: dict[str, dict[str, int]] = {}

    def put(self, id: str, text: str) -> None:
        if id in self._words:
            self.drop(id)
        words = Counter(WORD.findall(text.lower()))
        self._words[id], self._sizes[id] = words, words.total()
        for word, count in words.items():
            self._with.setdefault(word, {})[id] = count

    def drop(self, id: str) -> None:
        for word in self._words.pop(id):
            del self._with[word][id]
            if not self._with[word]:
                del self._with[word]
        del self._sizes[id]

    def search(self, query: str, top: int) -> list[str]:
        if not self._words:
            return []
        mean = sum(self._sizes.values()) / len(self._sizes) or 1.0
        scores: dict[str, float] = {}
        for word in WORD.findall(query.lower())[:_QUERY_WORDS]:
            if (having := self._with.get(word)) is None:
                continue
            weight = self._weight(len(having))
            for id, count in having.items():
                norm = self._k1 * (1 - self._b + self._b * self._sizes[id] / mean)
                scores[id] = scores.get(id, 0.0) + weight * count * (self._k1 + 1) / (count + norm)
        return sorted(scores, key=lambda id: (-scores[id], id))[:top]

    def _weight(self, having: int) -> float:
        weight = math.log(len(self._words) - having + 0.5) - math.log(having + 0.5)
        return weight if weight > 0 else self._epsilon * self._mean_weight()

    def _mean_weight(self) -> float:
        total = len(self._words)
        weights = [math.log(total - len(each) + 0.5) - math.log(len(each) + 0.5) for each in self._with.values()]
        return max(sum(weights) / len(weights), 0.0)


class Fts5:
    """SQLite's full-text index in memory (its BM25 has k1 1.2, b 0.75; accents do not matter)."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("CREATE VIRTUAL TABLE items USING fts5(text, id UNINDEXED)")
        self._rows: dict[str, int] = {}

    def put(self, id: str, text: str) -> None:
        self.drop(id)
        added = self._db.execute("INSERT INTO items (text, id) VALUES (?, ?)", (text, id))
        self._rows[id] = int(added.lastrowid or 0)

    def drop(self, id: str) -> None:
        if (row := self._rows.pop(id, None)) is not None:
            self._db.execute("DELETE FROM items WHERE rowid = ?", (row,))

    def search(self, query: str, top: int) -> list[str]:
        words = WORD.findall(query.lower())[:_QUERY_WORDS]
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        found = self._db.execute(
            "SELECT id FROM items WHERE items MATCH ? ORDER BY bm25(items), id LIMIT ?", (match, top)
        )
        return [row[0] for row in found]


INDEXES: dict[str, type[Fts5] | type[Bm25]] = {"fts5": Fts5, "bm25": Bm25}

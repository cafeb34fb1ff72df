"""Search: an index over the catalogue in SQLite's FTS5. What a user types is words to it, and never syntax.

Words are stemmed and stripped of accents; numbers and units are words of their own, so that 16GB is found by "16 gb";
the word typed last may be unfinished. Ranked by bm25, the title before all.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable
from typing import Literal

from agentgym.envs.web.shop.catalogue import Product

Order = Literal["relevance", "price-low", "price-high", "stars"]
MOST = 50
"""Products that a search finds at most, as in WebShop."""
_MOST_WORDS = 24
_WEIGHTS = "0.0, 10.0, 4.0, 3.0, 3.0, 1.0"
_ORDERS: dict[Order, str] = {
    "relevance": "rank, id",
    "price-low": "cents, id",
    "price-high": "cents DESC, id",
    "stars": "stars DESC, id",
}
_SAID = (
    "a an and are as at be but by can do for from get has have i if in is it like me my need of on or please so some than "
    "that the this to want what which with would you looking find buy dollars price lower less under"
)
_COMMON = frozenset(_SAID.split())
_UNIT = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")


class Index:
    """The searchable catalogue; read-only once made, shared by all episodes of a process."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.execute(
            "CREATE VIRTUAL TABLE found USING fts5(id UNINDEXED, title, noun, features, options, description, "
            "tokenize='porter unicode61', prefix='2 3')"
        )
        self._base.execute("CREATE TABLE sold (id TEXT PRIMARY KEY, category TEXT, cents INTEGER, stars INTEGER)")
        kept = list(products)
        self._base.executemany("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?)", map(_row, kept))
        self._base.executemany(
            "INSERT INTO sold VALUES (?, ?, ?, ?)", ((each.id, each.category, each.cents, each.stars) for each in kept)
        )
        self._base.execute("PRAGMA query_only = ON")

    def find(self, query: str, order: Order = "relevance", category: str = "") -> list[str]:
        """Ids of at most MOST products, best first; with `category`, only of it. No words: what the category has."""
        words = words_of(query)
        inside = "(? = '' OR category = ? OR instr(category, ? || ' › ') = 1)"
        if not words:
            ranked = f"SELECT id, 0 AS rank, cents, stars FROM sold WHERE {inside} ORDER BY stars DESC, id LIMIT {MOST}"
            given: tuple[str, ...] = (category,) * 3
        else:
            ranked = (
                f"SELECT id, bm25(found, {_WEIGHTS}) AS rank, cents, stars FROM found JOIN sold USING (id) "
                f"WHERE found MATCH ? AND {inside} ORDER BY rank, id LIMIT {MOST}"
            )
            given = (_match(words), *(category,) * 3)
        return [id for (id,) in self._base.execute(f"SELECT id FROM ({ranked}) ORDER BY {_ORDERS[order]}", given)]

    def close(self) -> None:
        self._base.close()


def words_of(text: str) -> list[str]:
    """The words of a query that matter, plain, without accents, numbers apart from units."""
    every = list(dict.fromkeys(re.findall(r"[^\W_]+", _plain(text))))
    return [word for word in every if word not in _COMMON][:_MOST_WORDS] or every[:_MOST_WORDS]


def _match(words: list[str]) -> str:
    """Any of the words, each quoted; none can be an operator or a column. The last one may go on."""
    last = f'"{words[-1]}"' + ("*" if len(words[-1]) > 1 and not words[-1].isdigit() else "")
    return " OR ".join([*(f'"{word}"' for word in words), last])


def _plain(text: str) -> str:
    bare = "".join(each for each in unicodedata.normalize("NFKD", text[:1_000]) if not unicodedata.combining(each))
    return _UNIT.sub(" ", bare.lower())


def _row(product: Product) -> tuple[str, ...]:
    options = " ".join(value for option in product.options for value in option.values)
    parts = (product.title, f"{product.kind} {product.noun} {product.category}", " ".join(product.features), options)
    return product.id, *(_plain(part) for part in (*parts, product.description))

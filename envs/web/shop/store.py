"""Store: what one visitor of the shop has in the cart and has ordered, in SQLite. Small, so that a copy costs next to nothing.

It knows products by id and takes prices from the catalogue alone. Which page asks for what is `site`'s business.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from agentgym.envs.web.shop.catalogue import Catalogue, Product

MOST_OF_ONE, MOST_LINES = 20, 20
_TABLES = """
CREATE TABLE cart (line INTEGER PRIMARY KEY, product TEXT NOT NULL, chosen TEXT NOT NULL, count INTEGER NOT NULL);
CREATE TABLE orders (number INTEGER PRIMARY KEY, delivery TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE ordered (number INTEGER NOT NULL, product TEXT NOT NULL, chosen TEXT NOT NULL, count INTEGER NOT NULL, cents INTEGER NOT NULL);
"""


class Refused(Exception):
    """What the visitor asked for can not be done; the text is for the page."""


@dataclass(slots=True, frozen=True)
class Line:
    """`count` pieces of a product with options chosen, at `cents` a piece."""

    line: int
    product: Product
    chosen: dict[str, str]
    count: int
    cents: int


class Store:
    """One visitor's state; `saved`: that of another store, to begin with."""

    def __init__(self, catalogue: Catalogue, saved: bytes | None = None) -> None:
        self._catalogue = catalogue
        self._base = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if saved is None:
            self._base.executescript(_TABLES)
        else:
            self._base.deserialize(saved)

    def save(self) -> bytes:
        """The whole state; a store made of it goes its own way."""
        return bytes(self._base.serialize())

    def close(self) -> None:
        self._base.close()

    def cart(self) -> list[Line]:
        rows = self._base.execute("SELECT line, product, chosen, count FROM cart ORDER BY line")
        return [self._line(*row) for row in rows]

    def add(self, product: Product, chosen: dict[str, str], count: int) -> None:
        """Raises Refused, with what is missing or too much."""
        for option in product.options:
            if chosen.get(option.name) not in option.values:
                raise Refused(f"Please choose a {option.name} first.")
        if not 1 <= count <= MOST_OF_ONE:
            raise Refused(f"The quantity must be 1 to {MOST_OF_ONE}.")
        if len(self.cart()) >= MOST_LINES:
            raise Refused("Your cart is full.")
        picked = {option.name: chosen[option.name] for option in product.options}
        row = (product.id, json.dumps(picked), count)
        self._base.execute("INSERT INTO cart (product, chosen, count) VALUES (?, ?, ?)", row)

    def change(self, line: int, count: int) -> None:
        """Set how many pieces a line of the cart has; 0 takes it out. Raises Refused."""
        if not 0 <= count <= MOST_OF_ONE:
            raise Refused(f"The quantity must be 0 to {MOST_OF_ONE}.")
        if count:
            self._base.execute("UPDATE cart SET count = ? WHERE line = ?", (count, line))
        else:
            self._base.execute("DELETE FROM cart WHERE line = ?", (line,))

    def order(self, delivery: str) -> int:
        """Order what is in the cart, and empty it; the order's number. Raises Refused if there is nothing in it."""
        lines = self.cart()
        if not lines:
            raise Refused("Your cart is empty.")
        total = sum(each.cents * each.count for each in lines)
        number = self._base.execute("INSERT INTO orders (delivery, cents) VALUES (?, ?)", (delivery, total)).lastrowid
        assert number is not None
        rows = [(number, each.product.id, json.dumps(each.chosen), each.count, each.cents) for each in lines]
        self._base.executemany("INSERT INTO ordered VALUES (?, ?, ?, ?, ?)", rows)
        self._base.execute("DELETE FROM cart")
        return number

    def orders(self) -> list[dict[str, Any]]:
        """All orders, with their lines, as JSON-able values."""
        found = self._base.execute("SELECT number, delivery, cents FROM orders ORDER BY number").fetchall()
        return [
            {"number": number, "delivery": delivery, "cents": cents, "lines": self._ordered(number)}
            for number, delivery, cents in found
        ]

    def _ordered(self, number: int) -> list[dict[str, Any]]:
        query = "SELECT product, chosen, count, cents FROM ordered WHERE number = ? ORDER BY rowid"
        return [
            {"product": product, "chosen": json.loads(chosen), "count": count, "cents": cents}
            for product, chosen, count, cents in self._base.execute(query, (number,))
        ]

    def _line(self, line: int, id: str, chosen: str, count: int) -> Line:
        product, picked = self._catalogue.products[id], json.loads(chosen)
        return Line(line, product, picked, count, product.price(picked))

"""How mistakes in a run's file are told: the path of the key, what it should be, what it is, the nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

_MOST = 20


def unknown(name: str, where: str, among: Iterable[str]) -> str:
    """A name that there is not, in the section `where` ("" at the top)."""
    return f"unknown key {name!r}{f' in {where}' if where else ''}{nearest(name, among)}"


def nearest(name: str, among: Iterable[str]) -> str:
    """ ": did you mean …?", or else ": there are …" where they are few."""
    names = list(among)
    if close := get_close_matches(name, names, 1):
        return f": did you mean {close[0]!r}?"
    return f": there are {', '.join(names)}" if len(names) <= _MOST else ""


def wrong(errors: Iterable[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """Pydantic's `errors()`, a line for each value; the kinds that a value may be of are in one line."""
    found: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for each in errors:
        keys = [str(part) for part in each["loc"] if isinstance(part, int) or str(part).isidentifier()]
        while keys and keys[-1] in ("str", "int", "float", "bool", "dict"):  # which of the kinds, not a key
            keys.pop()
        path = ".".join([*([prefix] if prefix else []), *keys])
        message = each["msg"].removeprefix("Value error, ")
        values[path] = "" if each["type"] in ("missing", "value_error") else f", not {each['input']!r}"
        found.setdefault(path, []).append("it is missing" if each["type"] == "missing" else message)
    return [f"{path}{': ' if path else ''}{' or '.join(said)}{values[path]}" for path, said in found.items()]

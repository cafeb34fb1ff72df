"""Choosing a method by its name and options, in the same words for every kind of method. No methods here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, isclass, signature
from typing import Any, TypeVar

from agentgym.errors import UsageError

T = TypeVar("T")


def choose(kind: str, table: Mapping[str, Callable[..., T]], name: str, options: Mapping[str, Any]) -> Callable[..., T]:
    """The method called `name` with its keyword-only `options` bound; of a class, all that it is made of are options.

    Raises UsageError for a name or an option that there is not, and for an option that has no default and is not given.
    """
    if name not in table:
        raise UsageError(f"no {kind} {name!r}{_nearest(name, table)}: there are {', '.join(table)}")
    method = table[name]
    kinds = {Parameter.KEYWORD_ONLY} | ({Parameter.POSITIONAL_OR_KEYWORD} if isclass(method) else set())
    known = {p.name: p for p in signature(method).parameters.values() if p.kind in kinds}
    for option in options:
        if option not in known:
            there = f"there are {', '.join(known)}" if known else "it has none"
            raise UsageError(f"{kind} {name!r} has no option {option!r}{_nearest(option, known)}: {there}")
    if missing := [o for o, p in known.items() if p.default is Parameter.empty and o not in options]:
        raise UsageError(f"{kind} {name!r} needs {', '.join(missing)}: no default is known to fit")
    return partial(method, **options) if options else method


def _nearest(name: str, among: Mapping[str, object]) -> str:
    close = get_close_matches(name, among, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""

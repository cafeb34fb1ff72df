"""Reading a statistic by name."""

from __future__ import annotations

from collections.abc import Mapping

from agentgym.errors import UsageError


def statistic(statistics: Mapping[str, float], name: str, reader: str) -> float:
    """Raises UsageError naming both if it is not there."""
    if name not in statistics:
        raise UsageError(f"{reader} needs the statistic {name!r}: there are {', '.join(statistics) or 'none'}")
    return statistics[name]

"""Times of day as minutes after midnight, dates as ISO text. No time zones here: a city's times are its own."""

from __future__ import annotations

import re
from datetime import date, timedelta

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hm(minutes: int) -> str:
    """620 as "10:20"."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def minutes_of(text: str) -> int | None:
    """ "10:20" as 620; None for what is no time of day."""
    found = _TIME.fullmatch(text.strip())
    return None if found is None or not text.isascii() else int(found[1]) * 60 + int(found[2])


def span(minutes: int) -> str:
    """A duration in TravelPlanner's words: "5 hours 3 mins"."""
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} hours" if hours else "", f"{rest} mins" if rest or not hours else "") if part
    )


def day_after(day: str, days: int = 1) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def weekday(day: str) -> int:
    """0 is Monday."""
    return date.fromisoformat(day).weekday()

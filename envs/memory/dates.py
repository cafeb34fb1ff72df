"""Days, as numbers and in words: "three days ago", "last Friday", "on 2 May 2024". Days only: no clocks, no time zones."""

from __future__ import annotations

import re
from datetime import date
from random import Random

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_AGO = {
    0: ("today", "this morning"),
    1: ("yesterday",),
    2: ("the day before yesterday", "two days ago"),
    3: ("three days ago",),
    4: ("four days ago",),
    5: ("five days ago",),
    6: ("six days ago",),
    7: ("a week ago",),
    14: ("two weeks ago",),
}
_DAYS = {words: days for days, bank in _AGO.items() for words in bank}
OFFSETS = tuple(_AGO)
PATTERN = "|".join([*_DAYS, "last (?:" + "|".join(WEEKDAYS) + ")", r"on \d{1,2} (?:" + "|".join(MONTHS) + r") \d{4}"])
_ABSOLUTE = re.compile(rf"(?:on )?(\d{{1,2}})(?:st|nd|rd|th)? ({'|'.join(MONTHS)}),? (\d{{4}})", re.I)
_AMERICAN = re.compile(rf"(?:on )?({'|'.join(MONTHS)}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})", re.I)
_MONTH = {name.casefold(): number for number, name in enumerate(MONTHS, 1)}


def iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def spelled(day: int) -> str:
    """ "2 May 2024"."""
    when = date.fromordinal(day)
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def say(day: int, today: int, rng: Random) -> str:
    """How somebody speaking on `today` says when `day` was."""
    ago = today - day
    ways = [*_AGO.get(ago, ())]
    if 1 < ago <= 7:
        ways.append(f"last {WEEKDAYS[(day - 1) % 7]}")
    if ago:
        ways.append(f"on {spelled(day)}")
    return ways[int(rng.random() * len(ways))]


def hear(words: str, today: int) -> int | None:
    """The day that `words`, spoken on `today`, mean; None if they mean none."""
    if words in _DAYS:
        return today - _DAYS[words]
    if words.startswith("last "):
        name = words[5:]
        return today - 7 + (WEEKDAYS.index(name) - (today - 7 - 1)) % 7 if name in WEEKDAYS else None
    return read(words)


def read(text: str) -> int | None:
    """A whole date in digits (2024-05-02) or words, American order too; None if it is none."""
    text = text.strip()
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        pass
    if found := _ABSOLUTE.fullmatch(text):
        day, month, year = int(found[1]), _MONTH[found[2].casefold()], int(found[3])
    elif found := _AMERICAN.fullmatch(text):
        day, month, year = int(found[2]), _MONTH[found[1].casefold()], int(found[3])
    else:
        return None
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None

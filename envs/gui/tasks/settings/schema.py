"""What can be set: sections with entries, and in what words one asks for it. The test split has words of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

Kind = Literal["switch", "choice", "level", "text"]
LEVELS = tuple(str(n) for n in range(0, 101, 10))


@dataclass(slots=True, frozen=True)
class Entry:
    """values: what it can be set to; of a text, what one may be asked to write."""

    key: str
    label: str
    kind: Kind
    values: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Section:
    key: str
    title: str
    entries: tuple[Entry, ...]


_SECTIONS = """
Network: Wi-Fi? | Mobile data? | Airplane mode? | Roaming? | Network type = 2G, 3G, 4G, 5G | Data limit = None, 1 GB, 5 GB, 10 GB, 50 GB
Bluetooth: Bluetooth? | Visible to others? | Device name ~ Maple, Comet, Juniper, Otter, Pebble, Saffron | Share audio?
Sound: Ring volume # | Media volume # | Alarm volume # | Vibrate for calls? | Ringtone = Bells, Birds, Chimes, Drums, Harp, Marimba, Piano, Rain, Waves | Touch sounds?
Display: Brightness # | Dark theme? | Night light? | Screen timeout = 15 seconds, 30 seconds, 1 minute, 2 minutes, 5 minutes, 10 minutes, 30 minutes | Font size = Small, Normal, Large, Huge | Turn screen automatically?
Battery: Battery saver? | Show percentage? | Charge limit = 80 percent, 90 percent, 100 percent | Saver starts at #
Notifications: Show on lock screen? | Do not disturb? | Bubbles? | Snooze = 5 minutes, 10 minutes, 15 minutes, 1 hour
Privacy: Location? | Camera access? | Microphone access? | Share statistics? | Lock after = Never, 1 day, 1 week, 1 month
Language: Language = Deutsch, English, Español, Français, Italiano, Magyar, Nederlands, Norsk, Polski, Português, Română, Suomi, Svenska, Türkçe, Čeština, Ελληνικά | Spell check? | Speech rate #
Date and time: Automatic time? | 24-hour clock? | First day of week = Monday, Saturday, Sunday | Date format = 31.12.2026, 31/12/2026, 12/31/2026, 2026-12-31
Profile: Full name ~ Ada Novak, Bo Larsen, Cleo Marin, Dana Weiss, Eli Okoro, Finn Ito | Status text ~ Away, At work, On holiday, Reading, Out for lunch | Show birthday?
Accessibility: Captions? | High contrast? | Magnifier? | Pointer size = Small, Medium, Large, Extra large | Touch delay = Short, Medium, Long
Updates: Automatic updates? | Only over Wi-Fi? | Channel = Stable, Beta, Preview
"""


@cache
def sections() -> tuple[Section, ...]:
    found = []
    for line in _SECTIONS.strip().splitlines():
        title, _, rest = line.partition(": ")
        found.append(Section(_key(title), title, tuple(_entry(_key(title), part) for part in rest.split(" | "))))
    return tuple(found)


@cache
def entries() -> dict[str, tuple[Section, Entry]]:
    """By key."""
    return {entry.key: (section, entry) for section in sections() for entry in section.entries}


@dataclass(slots=True, frozen=True)
class Case:
    """order: of the sections. before, after: all settings by key; `after` is what the goal asks for."""

    order: tuple[str, ...]
    before: dict[str, str]
    after: dict[str, str]
    goal: str


def draw(rng: Random, held_out: bool) -> Case:
    """One to three changes to settings as somebody may have them. held_out: in the test split's words."""
    before = {key: "" if entry.kind == "text" else rng.choice(entry.values) for key, (_, entry) in entries().items()}
    changed = rng.sample(sorted(before), rng.choice((1, 1, 2, 3)))
    after = before | {key: _other(rng, entries()[key][1], before[key]) for key in changed}
    order = rng.sample([section.key for section in sections()], len(sections()))
    said = [_say(rng, entries()[key][1], after[key], held_out) for key in changed]
    goal = _frame(rng, said, held_out)
    return Case(tuple(order), before, after, f"{goal} Change nothing else, and say when it is done.")


def _other(rng: Random, entry: Entry, now: str) -> str:
    if entry.kind == "level":  # a few taps away
        at = LEVELS.index(now)
        return rng.choice([LEVELS[n] for n in range(max(0, at - 3), min(len(LEVELS), at + 4)) if n != at])
    return rng.choice([value for value in entry.values if value != now])


def _say(rng: Random, entry: Entry, value: str, held_out: bool) -> str:
    label = entry.label
    match entry.kind:
        case "switch":
            ways = _SWITCH_TEST if held_out else _SWITCH
            return rng.choice(ways[value == "on"]).format(label)
        case "choice":
            return rng.choice(_CHOICE_TEST if held_out else _CHOICE).format(label, value)
        case "level":
            return rng.choice(_LEVEL_TEST if held_out else _LEVEL).format(label, value)
        case "text":
            return rng.choice(_TEXT_TEST if held_out else _TEXT).format(label, value)


def _frame(rng: Random, said: list[str], held_out: bool) -> str:
    frames = ("I would like you to {}.", "My wish: {}.") if held_out else ("Please {}.", "{}.", "Can you {}?")
    text = rng.choice(frames).format(" and ".join([", ".join(said[:-1]), said[-1]] if said[1:] else said))
    return text[0].upper() + text[1:]


_SWITCH = (
    ("turn off “{}”", "switch “{}” off", "disable “{}”"),
    ("turn on “{}”", "switch “{}” on", "enable “{}”"),
)
_SWITCH_TEST = (("see that “{}” is off", "deactivate “{}”"), ("see that “{}” is on", "activate “{}”"))
_CHOICE, _CHOICE_TEST = ("set “{}” to “{}”", "change “{}” to “{}”"), ("for “{}” choose “{}”", "have “{}” be “{}”")
_LEVEL, _LEVEL_TEST = ("set “{}” to {} %", "bring “{}” to {} %"), ("see that “{}” is at {} %",)
_TEXT, _TEXT_TEST = ("set “{}” to “{}”", "enter as “{}”: “{}”"), ("let “{}” read “{}”",)


def _key(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def _entry(section: str, text: str) -> Entry:
    text = text.strip()
    for sign, kind in (("?", "switch"), ("#", "level"), (" = ", "choice"), (" ~ ", "text")):
        label, found, values = text.partition(sign)
        if found:
            given = {"switch": ("off", "on"), "level": LEVELS}.get(kind) or tuple(v.strip() for v in values.split(","))
            label = label.strip()
            return Entry(f"{section}.{_key(label)}", label, kind, given)  # type: ignore[arg-type]
    raise AssertionError(text)

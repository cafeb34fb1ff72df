"""Moment: what an agent on a phone knows when it is its turn, and the acts it may choose from, in symbols of what is seen of them.

Nothing is known but the conversation: the goal, the acts so far in words, and the newest screenshot. Nothing is learned here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from agentgym.envs.gui.learning.glyphs import Sight, drawn
from agentgym.envs.gui.learning.segments import Segment, segments
from agentgym.envs.gui.tasks.devices import DEVICES
from agentgym.envs.gui.tasks.steps import Step
from agentgym.types import Blob, Message

PHONE = DEVICES["phone"]
FITS, _WIDER = 0.6, 5
"""How well words must fit where they are said to be written (they do by 0.6 to 0.9), and by how many pixels they may be wider or narrower."""
_FONTS = ((14, False), (16, False), (19, True))
_SPAN = re.compile(r"“([^”]+)”|(\d+ %)")
_DONE = re.compile(r"^\d+\. (.*)$", re.M)
_SAID = re.compile(r"<action>(.*?)</action>", re.S)
_ROWS = 14


@dataclass(slots=True, frozen=True)
class Choice:
    """An act that can be chosen. symbols: what is known of it. looks: what what is tapped looks like."""

    step: Step
    symbols: tuple[str, ...]
    looks: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Moment:
    """symbols: what is known of it as a whole. wants: what is still to be done, and what was the last act: what looks are good for."""

    symbols: tuple[str, ...]
    wants: tuple[str, ...]
    choices: tuple[Choice, ...]

    def pairs(self, choice: Choice) -> list[tuple[str, str]]:
        """What the worth of an act may depend on: what is known of it and of the moment, or its looks and what is wanted."""
        return [*product(choice.symbols, self.symbols), *product(choice.looks, self.wants)]


@dataclass(slots=True, frozen=True)
class Told:
    """What the conversation says. spans: what the goal has in quotes, and its numbers of per cent, in their order."""

    spans: tuple[str, ...]
    past: tuple[str, ...]
    png: bytes

    def named(self, n: int) -> bool:
        """Whether an act so far has named the span, or begun with it."""
        return any(f"'{self.spans[n]}{end}" in act for act in self.past for end in ("'", " "))

    def level(self, n: int) -> bool:
        """Whether the span is the name of what is to be brought to a number, which is the next span."""
        return n + 1 < len(self.spans) and self.spans[n + 1].endswith(" %")

    @property
    def last(self) -> str:
        """What kind of act was the last."""
        act = self.past[-1] if self.past else "nothing"
        return act.split()[0] + (" named" if any(f"'{span}" in act for span in self.spans) else "")


def told(messages: Sequence[Message]) -> Told:
    """The acts of the agent are in its messages; those that were done before its turn are in the first message."""
    first = messages[0].text
    spans = tuple(quoted or number for quoted, number in _SPAN.findall(first.partition("\n\n")[0]))
    done = _DONE.findall(first.partition("Done so far:")[2])
    said = [act for each in messages if each.role == "assistant" for act in _SAID.findall(each.text)]
    blobs = (part for each in reversed(messages) if not isinstance(each.content, str) for part in each.content)
    return Told(spans, (*done, *said), next(part.data for part in blobs if isinstance(part, Blob)))


def seen(messages: Sequence[Message]) -> Moment:
    """What can be seen of the newest screenshot in the light of the goal."""
    known = told(messages)
    pieces = _pieces(known.png)
    places = [_written(known.png, span) for span in known.spans]
    ways = {n: _way(known, n, place) for n, place in enumerate(places) if place is not None and known.level(n)}
    reached = [known.spans[n + 1] for n, way in ways.items() if way == "equal"]
    wanted = [n for n in range(len(known.spans)) if not _handled(known, n, reached)]
    head = pieces[0].band if pieces else 0
    title = [each.token for each in pieces if each.band == head][-1:]
    inside = [n for n in wanted if (place := places[n]) is not None and place.band != head]
    symbols = (
        "always",
        f"page {title}",
        f"last {known.last}",
        f"{min(len(wanted), 2)} wanted",
        "in sight" if inside else "out of sight",
    )
    wants = (f"last {known.last}", *(f"want {known.spans[n]}" for n in wanted if not known.spans[n].endswith(" %")))
    titled = {n + 1 for n, place in enumerate(places) if place is not None and place.band == head}
    moving = {place.band: way for n, way in ways.items() if n in wanted and (place := places[n]) is not None}
    note = "".join(f", as '{each}' is reached" for each in reached)

    def taps() -> Iterator[Choice]:
        for n, piece in enumerate(pieces):
            fits = [k for k, place in enumerate(places) if place == piece]
            first = n == 0 or pieces[n - 1].band != piece.band
            read = f"{'first' if first else 'later'} {_fit(known, fits, wanted, titled)}"
            way = f" {moving[piece.band]}" if piece.band in moving else ""
            called = next((f"'{known.spans[k]}'" for k in fits if not known.level(k)), piece.token)
            tried = f"tried {any(f'tap {piece.token}' in act for act in known.past)}"
            step = Step("tap", at=piece.middle, why=f"tap {called}{note}")
            yield Choice(step, ("tap", f"head {piece.band == head}", f"read {read}", tried), (piece.token + way,))

    return Moment(symbols, wants, (*taps(), *_others(known, wanted, titled, note)))


def unseen(messages: Sequence[Message]) -> Moment:
    """What is left for one who does not look at the picture: rows where they may be, the goal, and how many acts there were."""
    known = told(messages)
    wanted = [n for n in range(len(known.spans)) if not known.named(n)]
    wide, high = PHONE.size
    symbols = (
        "always",
        f"last {known.last}",
        f"after {min(len(known.past), 9)}",
        *(f"want {each}" for each in known.spans),
    )
    rows = tuple(
        Choice(Step("tap", at=(wide / 2, (n + 0.5) * high / _ROWS), why=f"tap row {n}"), ("tap", f"tap row {n}"))
        for n in range(_ROWS)
    )
    return Moment(symbols, (), (*rows, *_others(known, wanted, set(), "")))


def _others(known: Told, wanted: Sequence[int], titled: set[int], note: str) -> Iterator[Choice]:
    """What else than tapping can be done."""
    for way in ("down", "up"):
        yield Choice(Step("scroll", way, why=f"look {way}{note}"), (f"look {way}",))
    yield Choice(Step("back", why=f"go back{note}"), ("go back",))
    yield Choice(Step("done", why=f"say that it is done{note}"), ("done",))
    for n, span in enumerate(known.spans):
        seen = f"type {'wanted' if n in wanted else 'handled'} {'titled' if n in titled else ''}"
        yield Choice(Step("type", span, why=f"type '{span}'{note}"), ("type", seen))


def _handled(known: Told, n: int, reached: Sequence[str]) -> bool:
    """Whether nothing is left to do about a span, as far as the agent can know."""
    number = n + 1 if known.level(n) else n
    return known.named(number) or known.spans[number] in reached


def _fit(known: Told, fits: Sequence[int], wanted: Sequence[int], titled: set[int]) -> str:
    """Which of the goal's spans is written there."""
    for n in fits:
        if n in wanted:
            return "level" if known.level(n) else "titled" if n in titled else "wanted"
    return "handled" if fits else "nothing"


def _way(known: Told, n: int, label: Segment) -> str:
    """Whether the number in the row of the label is less or more than what is wanted: which way it has to go."""
    pieces = _pieces(known.png)
    read = [
        (score, number)
        for number in range(0, 101, 10)
        for score, n in _fits(known.png, f"{number} %")
        if pieces[n].band == label.band
    ]
    wanted, (_, now) = int(known.spans[n + 1].split()[0]), max(read, default=(0.0, 0))
    return "more" if wanted > now else "less" if wanted < now else "equal"


@lru_cache(maxsize=20_000)
def _pieces(png: bytes) -> tuple[Segment, ...]:
    return tuple(segments(png))


@lru_cache(maxsize=8)
def _sight(png: bytes) -> Sight:
    return Sight(png)


@lru_cache(maxsize=100_000)
def _fits(png: bytes, words: str) -> tuple[tuple[float, int], ...]:
    """How well `words` fit each segment that is as wide as they would be, with its number."""
    sight = _sight(png)
    return tuple(
        (sight.fit(words, piece.middle[0] * sight.scale, piece.middle[1] * sight.scale, size, bold), n)
        for n, piece in enumerate(_pieces(png))
        for size, bold in _FONTS
        if abs(piece.width - (drawn(words, size, bold).shape[1] - 4) / sight.scale) <= _WIDER
    )


def _written(png: bytes, words: str) -> Segment | None:
    """The segment that says `words`, and no more."""
    score, n = max(_fits(png, words), default=(0.0, 0))
    return _pieces(png)[n] if score >= FITS else None

"""From screens to samples: whom to ask for on a screen, meant in which way, said in which words. Pure functions of a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from agentgym.envs.gui.screens.candidates import Box, Candidate, plain
from agentgym.envs.gui.screens.capture import Screen
from agentgym.envs.gui.screens.meaning import Meaning, meanings_of, resolve
from agentgym.envs.gui.screens.wording import instruction

PER_SCREEN, PER_SMALL_SCREEN = 12, 6
_PASSIVE = frozenset(("text", "heading", "cell", "columnheader", "image"))
_FIELDS = frozenset(("textbox", "searchbox", "spinbutton", "combobox", "checkbox", "radio", "switch", "slider"))
_WEIGHTS = {"name": 1.0, "role": 1.0, "within": 1.5, "nth": 0.7, "nth_named": 2.0, "beside": 1.0, "purpose": 3.0}
_TRIES = 50


@dataclass(slots=True, frozen=True)
class Sample:
    """One thing to find. Boxes are [x0, y0, x1, y1] in pixels of the picture, which is `size` = (width, height).

    box: None if what is asked for is not there.  also: boxes that are as right.  kind: "text", "icon" or "negative".
    image: SHA-256 of the PNG, hex.  meaning: `Meaning`, as a record of what is not empty.  variant: `Variant`, as a record.
    """

    id: str
    split: str
    image: str
    size: tuple[int, int]
    instruction: str
    box: tuple[int, int, int, int] | None
    also: tuple[tuple[int, int, int, int], ...]
    kind: str
    role: str
    name: str
    site: str
    page: str
    language: str
    meaning: dict[str, Any]
    variant: dict[str, Any]

    @property
    def boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        """All that are right."""
        return () if self.box is None else (self.box, *self.also)


def samples_of(screen: Screen, id: str, split: str, rng: Random) -> list[Sample]:
    """Some of what can be asked for on `screen`, icons and fields more often than their share; ids are "id-n"."""
    asked = {i: meanings_of(i, screen.candidates) for i, each in enumerate(screen.candidates) if not each.trouble}
    keyed = sorted(
        (rng.random() ** (1 / _weight(screen.candidates[i])), i, meanings) for i, meanings in asked.items() if meanings
    )
    chosen = keyed[::-1][: PER_SMALL_SCREEN if screen.page.small else PER_SCREEN]
    return [_sample(screen, i, meanings, f"{id}-{n}", split, rng) for n, (_, i, meanings) in enumerate(chosen)]


def negatives(screens: Sequence[Screen], samples: Sequence[Sample], id: str, count: int, rng: Random) -> list[Sample]:
    """Up to `count` things of one screen that are asked for on another one, which has nothing like them."""
    by_image = {digest(screen): screen for screen in screens}
    named = [each for each in samples if each.meaning["how"] in ("name", "role") and each.language == "en"]
    made: list[Sample] = []
    for _ in range(_TRIES * count if named else 0):
        sample, screen = rng.choice(named), rng.choice(screens)
        if len(made) == count:
            break
        if digest(screen) == sample.image or not _absent(sample.name, screen, by_image[sample.image]):
            continue
        here = {
            "image": digest(screen),
            "size": screen.variant.size,
            "page": screen.page.path,
            "site": screen.page.site,
        }
        gone = {
            "id": f"{id}-n{len(made)}",
            "box": None,
            "also": (),
            "kind": "negative",
            "variant": asdict(screen.variant),
        }
        made.append(Sample(**{**_fields(sample), **here, **gone}))
    return made


def digest(screen: Screen) -> str:
    """What names the screen's picture."""
    return hashlib.sha256(screen.png).hexdigest()


def pixels(box: Box, screen: Screen) -> tuple[int, int, int, int]:
    """A box of a candidate in pixels of the picture, within it."""
    width, height = screen.variant.size
    left, top, right, bottom = (round(each * screen.variant.scale) for each in box)
    return max(0, left), max(0, top), min(width, right), min(height, bottom)


def _sample(screen: Screen, i: int, meanings: list[Meaning], id: str, split: str, rng: Random) -> Sample:
    it, variant = screen.candidates[i], screen.variant
    hows = list(dict.fromkeys(each.how for each in meanings))
    how = rng.choices(hows, [_WEIGHTS[each] for each in hows])[0]
    meaning = rng.choice([each for each in meanings if each.how == how])
    anchor = next((each.name for each in screen.candidates if meaning.anchor and each.plain == meaning.anchor), "")
    words = instruction(meaning, _spoken(it.name), _spoken(anchor), variant.language, split == "test", rng)
    return Sample(
        id=id,
        split=split,
        image=digest(screen),
        size=variant.size,
        instruction=words,
        box=pixels(it.box, screen),
        also=tuple(pixels(each, screen) for each in it.also),
        kind=it.kind,
        role=it.role,
        name=it.name,
        site=screen.page.site,
        page=screen.page.path,
        language=variant.language,
        meaning={name: value for name, value in asdict(meaning).items() if value and value != ("", "")},
        variant=asdict(variant),
    )


def _spoken(name: str) -> str:
    return name.rstrip(" :*…")


def _weight(it: Candidate) -> float:
    if it.role == "icon":
        return 6.0
    return 0.4 if it.role in _PASSIVE else 3.0 if it.role in _FIELDS else 1.5


def _absent(name: str, screen: Screen, origin: Screen) -> bool:
    """Whether nothing on `screen` could be taken for what is called `name`."""
    wanted = set(plain(name).split())
    return not resolve(Meaning("name", plain(name)), screen.candidates) and not any(
        wanted & set(each.plain.split()) for each in screen.candidates
    )


def _fields(sample: Sample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in Sample.__slots__}

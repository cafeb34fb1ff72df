"""How a page is looked at: window, scale, theme, language, how far it is scrolled. Drawn by seed; knows no page."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from agentgym.envs.web.browser.profile import Profile

LANGUAGES = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "zh": "zh-CN", "ar": "ar-EG"}
"""Languages of instructions, and the locales that pages are told of. A page's own words stay as they are."""
_WINDOWS = ((1280, 720), (1280, 800), (1440, 900), (1024, 768), (1920, 1080), (768, 1024), (390, 844), (360, 740))
_SMALL = ((332, 214), (240, 214), (480, 300))
_HUGE = 1_600
"""From this width on, a window has one device pixel to a pixel: pictures are large enough."""


@dataclass(slots=True, frozen=True)
class Variant:
    """Width and height in CSS pixels; `scale`: device pixels to one of them; `scroll`: in windows from the top."""

    width: int
    height: int
    scale: float
    dark: bool
    language: str
    scroll: float

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture, in its pixels."""
        return round(self.width * self.scale), round(self.height * self.scale)

    def profile(self, origin: str, style: str = "") -> Profile:
        """The session that looks at `origin` like this, with CSS on top."""
        locale = LANGUAGES[self.language]
        return Profile((origin,), self.width, self.height, self.scale, locale, self.dark, style=style)


def draw(rng: Random, small: bool) -> Variant:
    """One way of looking at a page; `small`: at one that is made for a small window."""
    width, height = rng.choice(_SMALL if small else _WINDOWS)
    scale = 1.0 if width >= _HUGE else rng.choice((1.0, 2.0, 3.0) if width < 500 else (1.0, 1.0, 1.0, 1.25, 1.5))
    language = rng.choice(list(LANGUAGES)) if rng.random() < 0.5 else "en"
    return Variant(
        width, height, scale, rng.random() < 0.3, language, 0.0 if small else rng.choice((0, 0, 0.8, 1.6, 3.0))
    )

"""What a browsing session is to be like. Sessions of equal profiles are interchangeable."""

from __future__ import annotations

from dataclasses import dataclass

EPOCH = 1_767_262_800
"""Noon of 2026-01-01 in New York, where pages believe to be: what their clocks show when a session begins."""


@dataclass(slots=True, frozen=True)
class Profile:
    """origins: all that can be reached, such as ("http://127.0.0.1:8080",); loopback only.

    width, height: the viewport in CSS pixels; scale: device pixels to one of them.
    seeded: frames, `performance.now` and `Math.random` follow from virtual time alone (and Math.random starts anew at each page).
    style: CSS that every page gets on top.  still: no animations or transitions.
    stateless: nothing of a session outlives a navigation, so that it may be used again for another episode.
    """

    origins: tuple[str, ...]
    width: int = 1280
    height: int = 720
    scale: float = 1.0
    locale: str = "en-US"
    dark: bool = False
    seeded: bool = True
    still: bool = True
    style: str = ""
    stateless: bool = False

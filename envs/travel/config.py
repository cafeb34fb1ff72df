"""The options of a travel environment: what is asked, how hard it is, how long the tools' pages are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.travel.trip import Level
from agentgym.envspec import Config

Kind = Literal["single", "clarify", "revise", "disruption", "unsolvable"]
KINDS: tuple[Kind, ...] = ("single", "clarify", "revise", "disruption", "unsolvable")


class TravelConfig(Config):
    """`kinds` and `levels` are taken in turn, task after task.

    slack: how far the budget is above the proven optimum, as a share of it; None: by level (`tasks.SLACK`).
    days: 3, 5 or 7; None: any.  page: rows a page of a search.
    """

    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)
    levels: tuple[Level, ...] = Field(default=("easy", "medium", "hard"), min_length=1)
    slack: float | None = Field(default=None, ge=0, le=5)
    days: Literal[3, 5, 7] | None = None
    page: int = Field(default=10, ge=1, le=50)

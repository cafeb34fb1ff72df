"""The options of `gui/grounding-v0`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.gui.coordinates import Coordinates
from agentgym.envs.gui.screens.sources import Source
from agentgym.envspec import Config

Mode = Literal["single", "zoom", "two_rounds"]


class GroundingConfig(Config):
    """mode: "single": one message, which is the answer.  "zoom": parts may be looked at closer first (DeepEyes).  "two_rounds": the
        first message has to name a region, of which a crop is shown, the second one is the answer (MGPO).
    sources: where pages come from; "npm" has the real designs, and is fetched once (140 MB).  screens_seed: other screens.
    negatives: the share of tasks in which what is asked for is not there, and saying so is right.
    train, validation, test: how many tasks there are in each split.
    coordinates: how places are said.  answers: on which picture the final answer is, if there are several.
    budget: pixels of a picture that is shown; larger ones are made smaller, crops come from the original.
    crops: how many may be asked for.  largest: a box that is answered may cover this share of the screen; ScreenSpot's harness has no bound (1).
    file, images: tasks from a benchmark's file instead (a path, or several with "," between), and the folder of its pictures.
    browsers, sessions: that make screens; all episodes of the process share them.
    """

    mode: Mode = "single"
    sources: tuple[Source, ...] = ("miniwob", "shop")
    screens_seed: int = 0
    negatives: float = Field(default=0.0, ge=0.0, le=0.5)
    train: int = Field(default=10_000, ge=0, le=10_000_000)
    validation: int = Field(default=1_000, ge=0, le=10_000_000)
    test: int = Field(default=1_000, ge=0, le=10_000_000)
    coordinates: Coordinates = "pixel"
    answers: Literal["first", "last"] = "first"
    budget: int = Field(default=14 * 14 * 4 * 1280, ge=28 * 28, le=64_000_000)
    crops: int = Field(default=4, ge=1, le=32)
    largest: float = Field(default=0.25, gt=0.0, le=1.0)
    file: str = ""
    images: str = ""
    browsers: int = Field(default=1, ge=1, le=64)
    sessions: int = Field(default=8, ge=1, le=1_024)

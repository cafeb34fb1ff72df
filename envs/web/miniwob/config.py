"""The options of `web/miniwob-v0`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from agentgym.envs.web.config import WebConfig


class MiniWobConfig(WebConfig):
    """names: only these pages; none: all.  hold_out: what the splits do not share: seeds only, or pages, too.

    train_seeds, test_seeds: how many of each page, in the training split and in the other two.
    episode_ms: what the page's own time limit is set to.
    steps_left: start so many of the oracle's steps before the goal, so that a curriculum can begin near it and move back, as in
        "Learning to Navigate the Web" (Gur et al. 2019, arXiv 1812.09195). None, or on a page without a solver: at the beginning.
    fields: leave so many fields of the instruction to be done, drawn by task, as the same paper's parts of instructions. On a page that is
        no form of several fields, or has no more: all of it.
    """

    names: tuple[str, ...] = ()
    hold_out: Literal["seeds", "tasks"] = "seeds"
    train_seeds: int = Field(default=1_000, ge=1, le=1_000_000)
    test_seeds: int = Field(default=20, ge=1, le=1_000_000)
    episode_ms: int = Field(default=1_000_000, ge=1_000, le=100_000_000)
    steps_left: int | None = Field(default=None, ge=1, le=1_000)
    fields: int | None = Field(default=None, ge=1, le=100)

    @model_validator(mode="after")
    def _one_curriculum(self) -> MiniWobConfig:
        if self.steps_left is not None and self.fields is not None:
            raise ValueError("steps_left and fields are two curricula: configure one of them")
        return self

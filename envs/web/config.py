"""The options that all web environments have: what is shown of a page, and how many browsers show it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.web.browser.render import Style
from agentgym.envspec import Config


class WebConfig(Config):
    """observation: how the page is written out. boxes: with every element's place. viewport_only: not what is off screen.

    screenshot: "never", or a picture after every action, "plain" or with "marks" (dear: ask for one with the tool instead).
    elements: how many are shown at most.  settle_ms: the page's own time that passes after an action.
    browsers, sessions: how many of them all episodes of the process share.
    """

    observation: Style = "axtree"
    boxes: bool = False
    viewport_only: bool = False
    screenshot: Literal["never", "plain", "marks"] = "never"
    elements: int = Field(default=1_000, ge=1, le=20_000)
    settle_ms: int = Field(default=500, ge=1, le=10_000)
    browsers: int = Field(default=1, ge=1, le=64)
    sessions: int = Field(default=16, ge=1, le=1_024)

"""The options that all environments of pages have: how many browsers show them, and, of those that write them out, how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.web.browser.render import Style
from agentgym.envspec import Config


class PageConfig(Config):
    """elements: how many of a page are looked at, at most.  settle_ms: the page's own time that passes after an action.

    browsers, sessions: how many of them all episodes of the process share.
    """

    elements: int = Field(default=1_000, ge=1, le=20_000)
    settle_ms: int = Field(default=500, ge=1, le=10_000)
    browsers: int = Field(default=1, ge=1, le=64)
    sessions: int = Field(default=16, ge=1, le=1_024)


class WebConfig(PageConfig):
    """observation: how the page is written out. boxes: with every element's place. viewport_only: not what is off screen.

    screenshot: "never", or a picture after every action, "plain" or with "marks" (dear: ask for one with the tool instead).
    """

    observation: Style = "axtree"
    boxes: bool = False
    viewport_only: bool = False
    screenshot: Literal["never", "plain", "marks"] = "never"

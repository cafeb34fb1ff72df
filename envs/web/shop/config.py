"""The options of `web/shop-v0`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.web.config import WebConfig


class ShopConfig(WebConfig):
    """goals: how many goals are drawn from each product.

    start: on which page an episode begins: the shop's first one, or that of the product which the goal was drawn from, so that a
        curriculum can begin near the end and move back, as in "Learning to Navigate the Web" (Gur et al. 2019, arXiv 1812.09195).
    """

    goals: int = Field(default=10, ge=1, le=1_000)
    start: Literal["home", "item"] = "home"

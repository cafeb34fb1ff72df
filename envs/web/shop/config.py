"""The options of `web/shop-v0`."""

from __future__ import annotations

from pydantic import Field

from agentgym.envs.web.config import WebConfig


class ShopConfig(WebConfig):
    """goals: how many goals are drawn from each product."""

    goals: int = Field(default=10, ge=1, le=1_000)

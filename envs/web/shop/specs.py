"""`web/shop-v0` as the registry knows it, and how it is paid."""

from __future__ import annotations

from agentgym.envs.web.shop.cheats import CHEATS
from agentgym.envs.web.shop.config import ShopConfig
from agentgym.envs.web.shop.environment import ShopEnvironment
from agentgym.envs.web.shop.policies import noop, oracle, random_player
from agentgym.envs.web.shop.tasks import ENV, ShopTasks
from agentgym.envs.web.shop.verifier import ShopVerifier
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits

METRICS = ("solved", "r_type", "r_att", "r_option", "r_price")
RUBRIC = Rubric((Channel("reward", "outcome"), *(Channel(name, "metric") for name in METRICS)), success="solved")

SHOP = EnvSpec(
    id=ENV,
    entry=ShopEnvironment,
    tasks=ShopTasks,
    verifier=ShopVerifier(),
    rubric=RUBRIC,
    config=ShopConfig(),
    limits=Limits(turns=40, call_s=60.0, output_chars=20_000),
    forking="replay",
    determinism="bytes",
    verifies="data",
    policies={"oracle": oracle, "noop": noop, "random": random_player, **CHEATS},
    description="Buy what somebody asks for in a web shop of 10,720 products, paid as in WebShop.",
)

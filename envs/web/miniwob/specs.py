"""`web/miniwob-v0` as the registry knows it, and how it is paid."""

from __future__ import annotations

from agentgym.envs.web.miniwob.cheats import CHEATS
from agentgym.envs.web.miniwob.config import MiniWobConfig
from agentgym.envs.web.miniwob.environment import MiniWobEnvironment
from agentgym.envs.web.miniwob.oracle import oracle
from agentgym.envs.web.miniwob.policies import noop, random_player
from agentgym.envs.web.miniwob.tasks import ENV, MiniWobTasks
from agentgym.envs.web.miniwob.verifier import MiniWobVerifier
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits

METRICS = ("raw", "discounted", "positive")
RUBRIC = Rubric((Channel("solved", "outcome"), *(Channel(name, "metric") for name in METRICS)))

MINIWOB = EnvSpec(
    id=ENV,
    entry=MiniWobEnvironment,
    tasks=MiniWobTasks,
    verifier=MiniWobVerifier(),
    rubric=RUBRIC,
    config=MiniWobConfig(),
    limits=Limits(turns=30, call_s=60.0, output_chars=20_000),
    forking="replay",
    determinism="bytes",
    verifies="data",
    chance=0.15,
    policies={"oracle": oracle, "noop": noop, "random": random_player, **CHEATS},
    description="Do what a small web page asks for: 130 pages of MiniWoB++ in a real browser.",
)

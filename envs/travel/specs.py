"""`travel/planner-v0` as the registry knows it, and how it is paid."""

from __future__ import annotations

from agentgym.envs.travel.cheats import CHEATS
from agentgym.envs.travel.config import TravelConfig
from agentgym.envs.travel.environment import PlannerEnvironment
from agentgym.envs.travel.policies import noop, oracle, random_player
from agentgym.envs.travel.tasks import PlannerTasks
from agentgym.envs.travel.verifier import PlannerVerifier
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits

METRICS = ("format", "trajectory", "grounded", "hard", "soft", "solved")
COUNTS = ("tp_delivered", "tp_commonsense", "tp_hard_passed", "tp_hard_asked", "tp_final")
RUBRIC = Rubric(
    (Channel("plan", "outcome"), *(Channel(name, "metric") for name in (*METRICS, *COUNTS))),
    success="solved",
)

PLANNER = EnvSpec(
    id="travel/planner-v0",
    entry=PlannerEnvironment,
    tasks=PlannerTasks,
    verifier=PlannerVerifier(),
    rubric=RUBRIC,
    config=TravelConfig(),
    limits=Limits(turns=60, output_chars=12_000),
    forking="native",
    determinism="bytes",
    verifies="data",
    policies={"oracle": oracle, "noop": noop, "random": random_player, **CHEATS},
    description="Plan a trip that can happen, at a proven price: search, ask, replan when things change, or show that it can not be done.",
)

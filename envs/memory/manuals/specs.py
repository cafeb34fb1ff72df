"""memory/manuals as the registry knows it."""

from __future__ import annotations

from agentgym.envs.memory.config import ManualsConfig
from agentgym.envs.memory.manuals.policies import CHEATS, oracle
from agentgym.envs.memory.manuals.reader import ManualsReading
from agentgym.envs.memory.manuals.tasks import ENV, ManualsTasks
from agentgym.envs.memory.policies import standard
from agentgym.envs.memory.specs import memory_spec

MANUALS = memory_spec(
    ENV,
    tasks=lambda config, runtime: ManualsTasks(config, runtime.cache),
    reading=ManualsReading(),
    policies=standard(oracle, CHEATS),
    config=ManualsConfig(),
    description="Keep a memory of a pile of real manual pages; questions on their entries are answered from it alone.",
)

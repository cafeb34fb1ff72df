"""code/efficiency as the registry knows it."""

from __future__ import annotations

from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.efficiency.cheats import CHEATS
from agentgym.envs.code.efficiency.tasks import tasks
from agentgym.envs.code.efficiency.verifier import SLACK, EfficiencyVerifier
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.policies import policies
from agentgym.envs.code.rubric import rubric
from agentgym.envs.code.specs import code_spec


class EfficiencyEnvironment(CodeEnvironment[CodeConfig]):
    """Writing a Python program that is right and cheap, with a meter in the box."""


EFFICIENCY = code_spec(
    "code/efficiency-v0",
    entry=EfficiencyEnvironment,
    tasks=lambda config, runtime: tasks(SLACK),
    verifier=EfficiencyVerifier(),
    rubric=rubric("correct", "ratio"),
    policies=policies(**CHEATS),
    description="Write a Python program that is right and, by counted operations, about as cheap as a good one.",
)

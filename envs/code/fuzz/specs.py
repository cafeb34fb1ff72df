"""`code/fuzz-v0` as the registry knows it."""

from __future__ import annotations

from agentgym.envs.code.fuzz.config import FuzzConfig
from agentgym.envs.code.fuzz.environment import FuzzEnvironment
from agentgym.envs.code.fuzz.policies import POLICIES
from agentgym.envs.code.fuzz.tasks import FuzzTasks
from agentgym.envs.code.fuzz.verifier import FuzzVerifier
from agentgym.envs.code.rubric import rubric
from agentgym.envs.code.specs import code_spec

FUZZ = code_spec(
    "code/fuzz-v0",
    entry=FuzzEnvironment,
    tasks=FuzzTasks,
    verifier=FuzzVerifier(),
    rubric=rubric("distance", "invalid"),
    policies=POLICIES,
    config=FuzzConfig(),
    chance=0.02,
    description="Write an input that takes a real parser of the standard library through a branch that its seeds miss.",
)

"""code/verilog as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.policies import policies
from agentgym.envs.code.rubric import rubric
from agentgym.envs.code.specs import code_spec
from agentgym.envs.code.verilog.cheats import CHEATS
from agentgym.envs.code.verilog.tasks import tasks
from agentgym.envs.code.verilog.verifier import PROGRAMS, VerilogVerifier


class VerilogEnvironment(CodeEnvironment[CodeConfig]):
    """Writing a Verilog module to a specification, with a simulator in the box."""

    programs: ClassVar[Mapping[str, str]] = PROGRAMS


VERILOG = code_spec(
    "code/verilog-v0",
    entry=VerilogEnvironment,
    tasks=lambda config, runtime: tasks(),
    verifier=VerilogVerifier(),
    rubric=rubric("parses", "elaborates", "matching"),
    policies=policies(**CHEATS),
    description="Write a Verilog module to a specification, judged by simulation on hidden test vectors.",
)

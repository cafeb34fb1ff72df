"""`code/vuln-v0` as the registry knows it, and how it is paid. The weights are ours; the paper's are not known to us."""

from __future__ import annotations

from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.vuln.policies import POLICIES
from agentgym.envs.code.vuln.tasks import VulnTasks
from agentgym.envs.code.vuln.verifier import VulnVerifier
from agentgym.envs.swe.normalise import normalise
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits


class VulnEnvironment(CodeEnvironment[CodeConfig]):
    """One program to judge. The agent may run it, too, where the box has what that takes."""


def rubric(location: float = 0.5, reason: float = 0.25, process: float = 1.0, gated: bool = True) -> Rubric:
    """Location and reason count only if the verdict is right; `gated=False` pays the process scores regardless."""
    gate = 0.0 if gated else None
    return Rubric(
        (
            Channel("prediction", "outcome", priority=3, threshold=gate),
            Channel("location", "outcome", weight=location, priority=2),
            Channel("reason", "outcome", weight=reason, priority=2),
            Channel("format", "process", weight=0.02 * process, priority=1, most=5),
            Channel("edit", "process", weight=0.05 * process, priority=1, most=2),
            Channel("solved", "metric"),
        ),
        success="solved",
    )


VULN = EnvSpec(
    id="code/vuln-v0",
    entry=VulnEnvironment,
    tasks=VulnTasks,
    verifier=VulnVerifier(),
    rubric=rubric(),
    config=CodeConfig(),
    limits=Limits(turns=20, call_s=90.0, output_chars=10_000),
    forking="native",
    determinism="normalised",
    verifies="data",
    needs=frozenset({"network_off", "memory", "processes"}),
    chance=0.5,
    policies=POLICIES,
    normalise=normalise,
    description="Say whether a small program of several files has a weakness, which, and where; its twin says otherwise.",
)

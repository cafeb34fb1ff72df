"""The software repair environments as the registry knows them."""

from __future__ import annotations

from agentgym.envs.swe.cheats import cheats
from agentgym.envs.swe.config import SweConfig
from agentgym.envs.swe.environment import SweEnvironment
from agentgym.envs.swe.normalise import normalise
from agentgym.envs.swe.policies import noisy_oracle, noop, oracle, random_player
from agentgym.envs.swe.rubric import rubric
from agentgym.envs.swe.tasks import ReleaseTasks
from agentgym.envs.swe.verifier import SweVerifier
from agentgym.envspec import EnvSpec
from agentgym.types import Limits

_LIMITS = Limits(turns=40, call_s=90.0, output_chars=10_000)
_NEEDS = frozenset({"network_off", "memory", "processes"})
_POLICIES = {
    "oracle": oracle,
    "noop": noop,
    "random": random_player,
    **{name: (lambda policy=policy: policy) for name, policy in cheats().items()},
}

RELEASE = EnvSpec(
    id="swe/release-v0",
    entry=SweEnvironment,
    tasks=ReleaseTasks,
    verifier=SweVerifier(),
    rubric=rubric(),
    config=SweConfig(),
    limits=_LIMITS,
    forking="native",
    determinism="normalised",
    verifies="sandbox",
    needs=_NEEDS,
    policies=_POLICIES,
    normalise=normalise,
    description="Repair a real Python package as its next release did, judged by that release's tests.",
)

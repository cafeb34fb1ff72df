"""The software repair environments as the registry knows them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agentgym.envs.swe.cheats import cheats
from agentgym.envs.swe.config import SweConfig
from agentgym.envs.swe.environment import SweEnvironment
from agentgym.envs.swe.normalise import normalise
from agentgym.envs.swe.policies import noisy_oracle, noop, oracle, random_player
from agentgym.envs.swe.rubric import rubric
from agentgym.envs.swe.tasks import BugTasks, ReleaseTasks
from agentgym.envs.swe.verifier import SweVerifier
from agentgym.envspec import EnvSpec
from agentgym.policy import Policy
from agentgym.runtime import Runtime
from agentgym.tasks import TaskSet
from agentgym.types import Limits

Play = Callable[[], Policy]


def _cheat(name: str) -> Policy:
    return cheats()[name]


POLICIES: dict[str, Play] = {
    "oracle": oracle,
    "noop": noop,
    "random": random_player,
    **{name: partial(_cheat, name) for name in cheats()},
}


def _spec(id: str, tasks: Callable[[SweConfig, Runtime], TaskSet], description: str, **policies: Play) -> EnvSpec:
    return EnvSpec(
        id=id,
        entry=SweEnvironment,
        tasks=tasks,
        verifier=SweVerifier(),
        rubric=rubric(),
        config=SweConfig(),
        limits=Limits(turns=40, call_s=90.0, output_chars=10_000),
        forking="native",
        determinism="normalised",
        verifies="sandbox",
        needs=frozenset({"network_off", "memory", "processes"}),
        policies=POLICIES | policies,
        normalise=normalise,
        description=description,
    )


BUGS = _spec(
    "swe/bugs-v0",
    BugTasks,
    "Find and repair a one-line bug in a real Python package, judged by tests that the package's own suite has.",
    **{"noisy-oracle": noisy_oracle},
)
RELEASE = _spec(
    "swe/release-v0",
    ReleaseTasks,
    "Repair a real Python package as its next release did, judged by that release's tests.",
)

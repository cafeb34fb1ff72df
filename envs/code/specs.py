"""What the specs of all code environments have in common. Each environment's own is `specs.py` in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.verifier import CodeVerifier
from agentgym.envs.swe.normalise import normalise
from agentgym.envspec import EnvSpec
from agentgym.policy import Policy
from agentgym.rewards import Rubric
from agentgym.runtime import Runtime
from agentgym.tasks import TaskSet
from agentgym.types import Limits


def code_spec(
    id: str,
    *,
    entry: type[CodeEnvironment[Any]],
    tasks: Callable[[Any, Runtime], TaskSet],
    verifier: CodeVerifier,
    rubric: Rubric,
    policies: Mapping[str, Callable[[], Policy]],
    description: str,
    config: CodeConfig | None = None,
    turns: int = 20,
    chance: float = 0.0,
) -> EnvSpec:
    """The spec of an environment in which code is written in a box and judged in another."""
    return EnvSpec(
        id=id,
        entry=entry,
        tasks=tasks,
        verifier=verifier,
        rubric=rubric,
        config=config or CodeConfig(),
        limits=Limits(turns=turns, call_s=90.0, output_chars=10_000),
        forking="native",
        determinism="normalised",
        verifies="sandbox",
        needs=frozenset({"network_off", "memory", "processes"}),
        chance=chance,
        policies=policies,
        normalise=normalise,
        description=description,
    )

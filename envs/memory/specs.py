"""What the specs of all memory environments have in common. Each environment's own is `specs.py` in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentgym.envs.memory.answering import ACTOR
from agentgym.envs.memory.config import MemoryConfig
from agentgym.envs.memory.environment import MemoryEnvironment
from agentgym.envs.memory.rubric import rubric
from agentgym.envs.memory.verifier import MemoryVerifier, Reading
from agentgym.envspec import EnvSpec
from agentgym.policy import Policy
from agentgym.runtime import Runtime
from agentgym.tasks import TaskSet
from agentgym.types import Limits


def memory_spec(
    id: str,
    *,
    tasks: Callable[[Any, Runtime], TaskSet],
    reading: Reading,
    policies: Mapping[str, Callable[[], Policy]],
    description: str,
    config: MemoryConfig,
    chance: float = 0.0,
) -> EnvSpec:
    """The spec of an environment in which a memory is kept. It needs no sandbox; the stream's end ends an episode."""
    return EnvSpec(
        id=id,
        entry=MemoryEnvironment,
        tasks=tasks,
        verifier=MemoryVerifier(reading),
        rubric=rubric(),
        config=config,
        limits=Limits(call_s=30.0, output_chars=None),
        actors=("agent", ACTOR),
        forking="native",
        chance=chance,
        policies=policies,
        description=description,
    )

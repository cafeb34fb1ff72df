"""agentgym, the gym for LLM agents: environments behind one step API, verified rewards, rollouts, a registry.

Everything public is importable from here; modules are loaded at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgym.rollout import collect as collect
    from agentgym.environment import Environment as Environment
    from agentgym.episode import Episode as Episode
    from agentgym.errors import (
        AgentGymError as AgentGymError,
        LimitExceeded as LimitExceeded,
        PolicyError as PolicyError,
        SandboxError as SandboxError,
        TaskError as TaskError,
        ToolError as ToolError,
        TooManyFailures as TooManyFailures,
        UsageError as UsageError,
        VerifierError as VerifierError,
    )
    from agentgym.policy import Context as Context, Policy as Policy, Scripted as Scripted
    from agentgym.registry import ids as ids, make as make, register as register, spec as spec
    from agentgym.rewards import Channel as Channel, RewardRecord as RewardRecord, Rubric as Rubric
    from agentgym.row import Row as Row, rows as rows
    from agentgym.runtime import Runtime as Runtime, RuntimeLimits as RuntimeLimits
    from agentgym.envspec import Config as Config, EnvSpec as EnvSpec
    from agentgym.state import StateRef as StateRef
    from agentgym.store import Store as Store
    from agentgym.tasks import Task as Task, TaskList as TaskList, TaskSet as TaskSet
    from agentgym.tools import Tool as Tool, tool as tool
    from agentgym.types import (
        Action as Action,
        Blob as Blob,
        CallResult as CallResult,
        EpisodeKey as EpisodeKey,
        Info as Info,
        Limits as Limits,
        Message as Message,
        Observation as Observation,
        Reply as Reply,
        Sample as Sample,
        Score as Score,
        Text as Text,
        ToolCall as ToolCall,
        Trajectory as Trajectory,
        Turn as Turn,
    )
    from agentgym.verifier import Evidence as Evidence, Verifier as Verifier

_HOMES = {
    "rollout": "collect",
    "environment": "Environment",
    "episode": "Episode",
    "errors": "AgentGymError LimitExceeded PolicyError SandboxError TaskError ToolError TooManyFailures UsageError "
    "VerifierError",
    "policy": "Context Policy Scripted",
    "registry": "ids make register spec",
    "rewards": "Channel RewardRecord Rubric",
    "row": "Row rows",
    "runtime": "Runtime RuntimeLimits",
    "envspec": "Config EnvSpec",
    "state": "StateRef",
    "store": "Store",
    "tasks": "Task TaskList TaskSet",
    "tools": "Tool tool",
    "types": "Action Blob CallResult EpisodeKey Info Limits Message Observation Reply Sample Score Text ToolCall "
    "Trajectory Turn",
    "verifier": "Evidence Verifier",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = list(_HOME_OF)  # noqa: PLE0605
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentgym' has no attribute {name!r}")
    return getattr(import_module(f"agentgym.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

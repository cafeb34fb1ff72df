"""agentgym, the gym for LLM agents: environments behind one step API, verified rewards, rollouts, a registry.

Everything public is importable from here; modules are loaded at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgym.environment import Environment as Environment
    from agentgym.envspec import Config as Config
    from agentgym.envspec import EnvSpec as EnvSpec
    from agentgym.episode import Episode as Episode
    from agentgym.errors import (
        AgentGymError as AgentGymError,
    )
    from agentgym.errors import (
        LimitExceeded as LimitExceeded,
    )
    from agentgym.errors import (
        PolicyError as PolicyError,
    )
    from agentgym.errors import (
        SandboxError as SandboxError,
    )
    from agentgym.errors import (
        TaskError as TaskError,
    )
    from agentgym.errors import (
        ToolError as ToolError,
    )
    from agentgym.errors import (
        TooManyFailures as TooManyFailures,
    )
    from agentgym.errors import (
        UsageError as UsageError,
    )
    from agentgym.errors import (
        VerifierError as VerifierError,
    )
    from agentgym.policy import Context as Context
    from agentgym.policy import Policy as Policy
    from agentgym.policy import Scripted as Scripted
    from agentgym.registry import ids as ids
    from agentgym.registry import make as make
    from agentgym.registry import register as register
    from agentgym.registry import spec as spec
    from agentgym.rewards import Channel as Channel
    from agentgym.rewards import Rubric as Rubric
    from agentgym.rollout import collect as collect
    from agentgym.row import Row as Row
    from agentgym.row import rows as rows
    from agentgym.runtime import Runtime as Runtime
    from agentgym.runtime import RuntimeLimits as RuntimeLimits
    from agentgym.state import StateRef as StateRef
    from agentgym.store import Store as Store
    from agentgym.tasks import Task as Task
    from agentgym.tasks import TaskList as TaskList
    from agentgym.tasks import TaskSet as TaskSet
    from agentgym.tools import Tool as Tool
    from agentgym.tools import tool as tool
    from agentgym.types import (
        Action as Action,
    )
    from agentgym.types import (
        Blob as Blob,
    )
    from agentgym.types import (
        CallResult as CallResult,
    )
    from agentgym.types import (
        EpisodeKey as EpisodeKey,
    )
    from agentgym.types import (
        Info as Info,
    )
    from agentgym.types import (
        Limits as Limits,
    )
    from agentgym.types import (
        Message as Message,
    )
    from agentgym.types import (
        Observation as Observation,
    )
    from agentgym.types import (
        Reply as Reply,
    )
    from agentgym.types import (
        RewardRecord as RewardRecord,
    )
    from agentgym.types import (
        Sample as Sample,
    )
    from agentgym.types import (
        Score as Score,
    )
    from agentgym.types import (
        Text as Text,
    )
    from agentgym.types import (
        ToolCall as ToolCall,
    )
    from agentgym.types import (
        Trajectory as Trajectory,
    )
    from agentgym.types import (
        Turn as Turn,
    )
    from agentgym.verifier import Evidence as Evidence
    from agentgym.verifier import Verifier as Verifier

_HOMES = {
    "rollout": "collect",
    "environment": "Environment",
    "episode": "Episode",
    "errors": "AgentGymError LimitExceeded PolicyError SandboxError TaskError ToolError TooManyFailures UsageError "
    "VerifierError",
    "policy": "Context Policy Scripted",
    "registry": "ids make register spec",
    "rewards": "Channel Rubric",
    "row": "Row rows",
    "runtime": "Runtime RuntimeLimits",
    "envspec": "Config EnvSpec",
    "state": "StateRef",
    "store": "Store",
    "tasks": "Task TaskList TaskSet",
    "tools": "Tool tool",
    "types": "Action Blob CallResult EpisodeKey Info Limits Message Observation Reply RewardRecord Sample Score Text ToolCall "
    "Trajectory Turn",
    "verifier": "Evidence Verifier",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = list(_HOME_OF)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentgym' has no attribute {name!r}")
    return getattr(import_module(f"agentgym.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

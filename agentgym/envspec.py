"""EnvSpec: everything there is to know about an environment before it is made. The one thing that plug-ins register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agentgym.errors import UsageError
from agentgym.rewards import Rubric
from agentgym.seeds import content_hash
from agentgym.tools import Tool
from agentgym.types import Limits

if TYPE_CHECKING:
    from agentgym.environment import Environment
    from agentgym.policy import Policy
    from agentgym.runtime import Runtime
    from agentgym.tasks import TaskSet
    from agentgym.verifier import Verifier

Forking = Literal["native", "replay", "none"]
Determinism = Literal["bytes", "normalised", "none"]


class Config(BaseModel):
    """Base of every environment's configuration: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(slots=True, frozen=True)
class EnvSpec:
    """One environment, declared.

    id: "family/name-vN"; N is bumped by any change to tasks, observation bytes or scores.
    entry: the Environment class; `tasks(config, runtime)` makes its task set; `verifier` gives the verdict.
    policies: scripted policies by name: "oracle" (privileged), "noop", "random", and every "cheat/..." known.
    on_truncate: "score" or "mask" for each end reason that truncates; what is not named is scored, except
        "wall_time", which is masked.
    verifies: "sandbox" if the verifier executes what the agent wrote, "data" if it only reads it.
    needs: sandbox capabilities without which the environment must not run; empty: it needs no sandbox.
    chance: the success that a random policy is allowed to reach.
    normalise: applied to texts before two replays are compared, never to what the agent sees.
    """

    id: str
    entry: type[Environment[Any]]
    tasks: Callable[[Any, Runtime], TaskSet]
    verifier: Verifier
    rubric: Rubric
    config: Config = field(default_factory=Config)
    limits: Limits = field(default_factory=Limits)
    actors: tuple[str, ...] = ("agent",)
    forking: Forking = "replay"
    determinism: Determinism = "bytes"
    on_truncate: Mapping[str, Literal["score", "mask"]] = field(default_factory=dict)
    verifies: Literal["sandbox", "data"] = "data"
    needs: frozenset[str] = frozenset()
    chance: float = 0.0
    policies: Mapping[str, Callable[[], Policy]] = field(default_factory=dict)
    normalise: Callable[[str], str] | None = None
    description: str = ""

    @property
    def version(self) -> str:
        return self.id.rpartition("-")[2]

    @property
    def tools(self) -> dict[str, Tool]:
        """The superset of tools that an episode may offer, known before any reset."""
        return self.entry.toolbox

    @property
    def hash(self) -> str:
        """SHA-256 over what decides an episode's course: id, config, limits, tools, rubric."""
        channels = [repr(channel) for channel in self.rubric.channels]
        tools = [tool.openai() for tool in self.tools.values()]
        config = self.config.model_dump(mode="json")
        return content_hash([self.id, config, repr(self.limits), tools, channels, self.verifier.version])

    def masks(self, reason: str) -> bool:
        """Whether an episode truncated for `reason` says nothing about the policy."""
        return self.on_truncate.get(reason, "mask" if reason == "wall_time" else "score") == "mask"

    def configure(self, **changes: Any) -> EnvSpec:
        """The same environment under changed configuration. Raises UsageError naming the bad field."""
        if not changes:
            return self
        try:
            config = type(self.config).model_validate({**self.config.model_dump(), **changes})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(type(self.config).model_fields) or "none"
            raise UsageError(f"{self.id}: option {name!r}: {first['msg']} (options: {known})") from None
        return replace(self, config=config)

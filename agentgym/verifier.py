"""The Verifier contract: who gives the verdict, and on what evidence. Never the agent's own box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from agentgym.tasks import Task
from agentgym.types import Score, Turn

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


@dataclass(slots=True)
class Evidence:
    """What is left of an episode once the agent's box is closed. The verifier sees the whole task, secret included."""

    task: Task
    artefacts: Mapping[str, str]
    turns: Sequence[Turn] = field(default_factory=tuple)
    end: str = ""


class Verifier(ABC):
    """Gives the outcome scores of an episode.

    The candidate's own doing (it hangs, crashes, exhausts memory) is a score with a reason.  VerifierError (or
    SandboxError) is for what is not: the verdict, never the episode, is then tried again.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"

    @abstractmethod
    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        """The outcome scores for `evidence`. Must not depend on anything else."""

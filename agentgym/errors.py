"""Every error that agentgym raises on purpose, and whose fault each one is.  Nothing else is in this file.

Four mechanisms, each in one place: the *agent's* mistake becomes an observation (`ToolError`, caught in
`Environment.step`); *infrastructure* is retried on a fresh box and then ends as a `failed` trajectory, never as
reward 0 (`SandboxError`, `PolicyError`; caught in `collect`); a *verdict* that could not be reached is retried alone
(`VerifierError`; caught in `verdict`); the *caller's* mistake goes to the caller (`TaskError`, `UsageError`), unless an
episode of a batch runs into it: then that episode is `failed` and the batch goes on.
"""

from __future__ import annotations

from typing import Literal

Fault = Literal["infrastructure", "ambiguous"]


class AgentGymError(Exception):
    """Base of all errors here. The message says what was wrong and what to do."""


class ToolError(AgentGymError):
    """A tool call the agent should hear about: its text is the reply to the call. Raised by tools."""


class LimitExceeded(AgentGymError):
    """A limit of the spec was reached; the episode is truncated with `reason` (for example "context")."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class SandboxError(AgentGymError):
    """A box could not start or died. `ambiguous`: it died under the agent's command and nobody can tell why."""

    def __init__(self, message: str, fault: Fault = "infrastructure") -> None:
        super().__init__(message)
        self.fault: Fault = fault


class VerifierError(AgentGymError):
    """No verdict could be reached through no fault of the candidate: retry the verdict, not the episode."""


class PolicyError(AgentGymError):
    """A model endpoint failed for good (after its own retries) or answered nonsense."""


class TaskError(AgentGymError):
    """A task or a task file is broken: says which file, line and field."""


class UsageError(AgentGymError):
    """The caller broke the contract: unknown id, `step` before `reset`, a closed environment, a bad option."""


class TooManyFailures(AgentGymError):
    """More trajectories failed than the run allows: the run stops instead of training on what is left."""

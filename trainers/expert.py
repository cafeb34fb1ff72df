"""Imitation: how CHORD's expert episodes enter the loss. The losses themselves are in `auxiliary.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentgym.errors import UsageError
from agentgym.trainers.losses.auxiliary import FORMS, Form
from agentgym.trainers.names import choose


@dataclass(slots=True, frozen=True)
class Imitation:
    """form: the weight of a token. batch: rows of the expert a step. mu: their loss's weight; None: `chord_mu` says it."""

    form: Form = "phi"
    mu: float | None = None
    batch: int = 8

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise UsageError(f"no form {self.form!r}: there are {', '.join(FORMS)}")
        if self.mu is not None and not 0 <= self.mu <= 1:
            raise UsageError(f"chord's mu is a share, from 0 to 1, not {self.mu}")
        if self.batch < 1:
            raise UsageError("chord needs at least one row of the expert in a step")


def imitation(**options: Any) -> Imitation:
    """Raises UsageError for an option that there is not."""
    return choose("auxiliary loss", {"chord": Imitation}, "chord", options)()

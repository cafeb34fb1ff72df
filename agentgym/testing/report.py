"""AuditReport: what an audit found, as one JSON-able object. It decides nothing: `audit` does."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class Tally(BaseModel):
    """Verified success over the scored episodes of one policy (or of all cheats). `n` 0: none was scored."""

    model_config = ConfigDict(frozen=True)

    n: int = 0
    mean: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, successes: Iterable[float]) -> Tally:
        values = list(successes)
        if not values:
            return cls()
        return cls(n=len(values), mean=sum(values) / len(values), max=max(values))


class AuditReport(BaseModel):
    """One environment's release gate.

    `replay_identical` and `forks_independent` are None where the spec does not promise them (determinism or forking
    "none").  `problems` says, one sentence each, everything that kept `passed` from being True.
    """

    model_config = ConfigDict(frozen=True)

    env: str
    oracle: Tally
    noop: Tally
    random: Tally
    cheat: Tally
    chance: float
    cheats: dict[str, float | None]
    replay_identical: bool | None
    forks_independent: bool | None
    leaks: list[str]
    passed: bool
    problems: list[str]

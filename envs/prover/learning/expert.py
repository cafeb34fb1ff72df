"""Expert iteration over tactics: search, keep what was verified, filter, learn; now and then start again from the base.

Xin et al., "BFS-Prover-V2" (arXiv 2509.06493).  How often to start again, and the quantiles of the filter, are
configuration.  A run goes on where its store ends: a theorem that was searched in a round is not searched again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from agentgym.envs.prover.backend import Problem
from agentgym.envs.prover.learning.filtering import Kept, centre
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import Transition, TransitionStore
from agentgym.envs.prover.search import Propose
from agentgym.errors import UsageError
from agentgym.seeds import derive_seed
from agentgym.tasks import Task


class Learner(Protocol):
    """A step-prover that can be taught. A value: learning makes another one."""

    def propose(self, problem: Problem) -> Propose: ...

    def perplexities(self, transitions: Sequence[Transition]) -> list[float]:
        """Of each tactic in its state; infinite for what can not be said."""

    def learnt(self, transitions: Sequence[Transition], seed: int) -> Any:
        """This learner after supervised training on the tactics."""


L = TypeVar("L", bound=Learner)


@dataclass(slots=True, frozen=True)
class ExpertConfig:
    """`keep`: quantiles of perplexity between which tactics are learnt from; `retrain_keep`: likewise when retraining.

    `retrain_every`: rounds between two starts from the base, on what the expert of that round proved again (all proofs
    re-synthesised) and, of theorems that it did not, their latest proof; 0 for never.
    """

    rounds: int = 3
    keep: tuple[float, float] = (0.05, 0.95)
    retrain_every: int = 0
    retrain_keep: tuple[float, float] = (0.1, 0.9)
    seed: int = 0


class Round(BaseModel):
    """What a round came to. Round 0 is learning from what the store had before any search."""

    model_config = ConfigDict(frozen=True)

    round: int
    searched: int = 0
    proved: int = 0
    failed: int = 0
    tactics: int = 0
    cpu_s: float = 0.0
    positives: int
    kept: int
    unsayable: int
    perplexity: tuple[float, float]
    retrained: bool = False


@dataclass(slots=True, frozen=True)
class Stage(Generic[L]):
    """The policy after a round, and how it came about."""

    policy: L
    round: Round


async def iterate(
    base: L, tasks: Sequence[Task], store: TransitionStore, arena: Arena, config: ExpertConfig
) -> AsyncIterator[Stage[L]]:
    """The policy after round 0, 1, ... Raises UsageError for tasks that are not for training."""
    if held_out := next((task for task in tasks if task.split != "train"), None):
        raise UsageError(f"{held_out.id} is held out ({held_out.split}): nothing may be learnt from it")
    positives = store.positives([0])
    policy = base
    if positives:
        kept = centre(positives, base.perplexities(positives), 0.0, 1.0)
        policy = base.learnt(kept.transitions, derive_seed("expert", config.seed, 0))
        yield Stage(policy, _round(0, store, positives, kept))
    for number in range(1, config.rounds + 1):
        failed = await _search(policy, tasks, store, arena, number)
        retrain = config.retrain_every > 0 and number % config.retrain_every == 0
        known = store.positives(range(number + 1))
        positives = latest(known) if retrain else known
        kept = centre(positives, policy.perplexities(positives), *(config.retrain_keep if retrain else config.keep))
        if kept.transitions:
            policy = (base if retrain else policy).learnt(kept.transitions, derive_seed("expert", config.seed, number))
        yield Stage(policy, _round(number, store, positives, kept, failed, retrain))


def latest(positives: Sequence[Transition]) -> list[Transition]:
    """Of each theorem only what the last round that proved it found."""
    last: dict[str, int] = {}
    for each in positives:
        last[each.theorem] = max(last.get(each.theorem, 0), each.round)
    return [each for each in positives if each.round == last[each.theorem]]


async def _search(policy: L, tasks: Sequence[Task], store: TransitionStore, arena: Arena, number: int) -> int:
    """Search what this round has not searched yet; how many searches failed through no fault of the policy."""
    failed = 0
    waiting = [task for task in tasks if (task.id, number) not in store.searched]
    async for attempt in arena.search(waiting, policy.propose, number):
        if attempt.failed:
            failed += 1
        else:
            store.add(attempt.transitions, attempt.searched(number))
    return failed


def _round(
    number: int,
    store: TransitionStore,
    positives: Sequence[Transition],
    kept: Kept,
    failed: int = 0,
    retrained: bool = False,
) -> Round:
    ended = [each for each in store.searched.values() if each.round == number and number > 0]
    return Round(
        round=number,
        searched=len(ended),
        proved=sum(each.proof is not None for each in ended),
        failed=failed,
        tactics=sum(each.tactics for each in ended),
        cpu_s=round(sum(each.cpu_s for each in ended), 2),
        positives=len(positives),
        kept=len(kept.transitions),
        unsayable=kept.unsayable,
        perplexity=(kept.low, kept.high),
        retrained=retrained,
    )

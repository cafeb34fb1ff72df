"""The experiments of `make learn`, and what each must show. Numbers were chosen on seed 0 alone; docs/learning says how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agentgym.errors import UsageError
from agentgym.trainers.demo.expert import Fallible
from agentgym.trainers.learning.chain import CHAIN, rambling
from agentgym.trainers.learning.doors import DOORS, HANDLES
from agentgym.trainers.learning.intervals import Interval, differences, pooled
from agentgym.trainers.learning.lookup import KEYS, LOOKUP
from agentgym.trainers.learning.trial import Arm, Experiment, Outcome

WARM = "warm start"

LOOKUPS = Experiment(
    name="lookup",
    spec=LOOKUP,
    expert=Fallible(LOOKUP.policies["oracle"](), noise=0.5, most=KEYS - 1),
    arms=(
        Arm("GRPO", outcome_only=True),
        Arm("turn-level", {"advantage": "turn_returns"}),
        Arm("PPO", {"critic_learning_rate": 1e-3, "num_generations": 2}, ppo=True, outcome_only=True),
        Arm("GRPO, shuffled", outcome_only=True, shuffled=True),
    ),
    new_tokens=6,
)

CREDIT = Experiment(
    name="doors",
    spec=DOORS,
    expert=Fallible(DOORS.policies["oracle"](), noise=0.65, most=HANDLES - 1),
    arms=(
        Arm("outcome only", outcome_only=True),
        Arm("summed"),
        Arm("turn returns", {"advantage": "turn_returns"}),
        Arm("turn-level", {"advantage": "mt_grpo"}),
    ),
    new_tokens=6,
    taught=10,
    sft_steps=150,
    batches=40,
    tasks=4,
    group=4,
)

LENGTHS = Experiment(
    name="chain",
    spec=CHAIN,
    expert=rambling(most=4, noise=0.3),
    arms=(Arm("success only"), Arm("LASER", {"shaper": "laser", "shaper_options": {"target": 5}})),
    new_tokens=24,
    taught=20,
    sft_steps=200,
    batches=100,
    lr=3e-4,
)

EXPERIMENTS = {experiment.name: experiment for experiment in (LOOKUPS, CREDIT, LENGTHS)}


@dataclass(slots=True, frozen=True)
class Shape:
    """Something that should be seen: `of` makes a number with its interval, `wanted` says whether it is as it should be."""

    experiment: str
    says: str
    of: Callable[[list[Outcome]], Interval]
    wanted: Callable[[Interval], bool]


def _success(arm: str) -> Callable[[list[Outcome]], Interval]:
    return lambda outcomes: pooled(outcomes, arm, "success")


def _gain(arm: str, over: str, number: str = "success") -> Callable[[list[Outcome]], Interval]:
    return lambda outcomes: differences(outcomes, arm, over, number)


def _risen(found: Interval) -> bool:
    return found.low > 0


SHAPES = (
    Shape("lookup", "the warm start succeeds in about .2", _success(WARM), lambda found: 0.1 <= found.mean <= 0.35),
    *(
        Shape("lookup", f"{arm} reaches .9", _success(arm), lambda found: found.mean >= 0.9)
        for arm in ("GRPO", "turn-level", "PPO")
    ),
    Shape(
        "lookup",
        "shuffled rewards teach nothing: success less the warm start's",
        _gain("GRPO, shuffled", WARM),
        lambda found: found.high < 0.1,
    ),
    Shape("doors", "process scores help: summed less outcome only", _gain("summed", "outcome only"), _risen),
    Shape("doors", "credit helps: turn-level less summed", _gain("turn-level", "summed"), _risen),
    Shape(
        "chain",
        "LASER shortens: tokens less those of success only",
        _gain("LASER", "success only", "tokens"),
        lambda found: found.high < 0,
    ),
    Shape(
        "chain",
        "without loss: success less that of success only",
        _gain("LASER", "success only"),
        lambda found: found.low > -0.05,
    ),
)


def chosen(names: Sequence[str], smoke: bool = False) -> list[Experiment]:
    """The experiments called so (none named: all); `smoke`: one batch of everything, in which nothing is learnt.

    Raises UsageError naming those there are.
    """
    if unknown := [name for name in names if name not in EXPERIMENTS]:
        raise UsageError(f"no experiment {unknown[0]!r}: there are {', '.join(EXPERIMENTS)}")
    found = [EXPERIMENTS[name] for name in names or EXPERIMENTS]
    return [replace(each, batches=1, sft_steps=2, taught=2) if smoke else each for each in found]

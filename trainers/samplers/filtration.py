"""PF-PPO, policy filtration (arXiv 2409.06957): which finished rollouts are trained on, by what their records paid.

Its lesson: keeping the best alone harms; the best with the worst, or with a random other, helps.  What is scored is
chosen among; failed and masked episodes stay, and weigh nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

from agentgym.errors import UsageError
from agentgym.seeds import derive_seed
from agentgym.trainers.episodes import groups_of, record_of
from agentgym.types import Trajectory

Keep = Literal["best", "best_random", "best_worst"]
Weighing = Literal["pow", "max_min", "max_random"]


def of_groups(trajectories: Sequence[Trajectory], seed: int, *, keep: Keep) -> list[Trajectory]:
    """Of each group those that `filtered` keeps. Baselines are then over these: "best" needs a critic."""
    kept: set[int] = set()
    for group in groups_of(trajectories):
        kept |= {id(group[i]) for i in filtered(_totals(group), keep, derive_seed("group", seed, group[0].group))}
    return [t for t in trajectories if record_of(t) is None or id(t) in kept]


def of_batch(trajectories: Sequence[Trajectory], seed: int, *, weighing: Weighing) -> list[Trajectory]:
    """As many as there were, drawn with repetition by `resampled`."""
    scored = [t for t in trajectories if record_of(t) is not None]
    drawn = resampled(_totals(scored), weighing, len(scored), seed) if scored else []
    return [*(scored[i] for i in sorted(drawn)), *(t for t in trajectories if record_of(t) is None)]


def filtered(scores: Sequence[float], keep: Keep, seed: int = 0) -> list[int]:
    """Which of a prompt's responses stay: the best (BoN), with a random other (BR) or with the worst (BW).

    Of equal scores the first is best and the last is worst.
    """
    if not scores:
        return []
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    if keep == "best" or len(order) == 1:
        return order[:1]
    if keep == "best_worst":
        return [order[0], order[-1]]
    if keep == "best_random":
        return [order[0], Random(derive_seed("filtered", seed)).choice(order[1:])]
    raise UsageError(f"no filter {keep!r}: there are best, best_random, best_worst")


def probabilities(scores: Sequence[float], weighing: Weighing) -> list[float]:
    """How likely each of a batch's responses is resampled, as in verl; alike if all weights are 0.

    pow: |score|². max_min: only the largest and smallest score. max_random: the largest 0.4, the others 0.1 each.
    """
    if not scores:
        return []
    top, bottom = max(scores), min(scores)
    match weighing:
        case "pow":
            weights = [score * score for score in scores]
        case "max_min":
            weights = [float(score in (top, bottom)) for score in scores]
        case "max_random":
            weights = [0.4 if score == top else 0.1 for score in scores]
        case _:
            raise UsageError(f"no weighing {weighing!r}: there are pow, max_min, max_random")
    total = sum(weights)
    return [weight / total for weight in weights] if total else [1 / len(scores)] * len(scores)


def resampled(scores: Sequence[float], weighing: Weighing, count: int, seed: int = 0) -> list[int]:
    """`count` indices drawn with repetition by `probabilities`."""
    rng = Random(derive_seed("resampled", seed))
    return rng.choices(range(len(scores)), weights=probabilities(scores, weighing), k=count)


def _totals(trajectories: Sequence[Trajectory]) -> list[float]:
    return [record.total for t in trajectories if (record := record_of(t)) is not None]

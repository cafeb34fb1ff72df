"""The page that `make learn` writes: tables of held-out numbers, and which shapes appeared. Pure: outcomes in, Markdown out."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym.evals.metrics import rate
from agentgym.trainers.learning.experiments import EXPERIMENTS, SHAPES, Shape
from agentgym.trainers.learning.intervals import pooled
from agentgym.trainers.learning.trial import Outcome

HEAD = """# Results of `make learn`

Written by the command; do not edit. What the experiments are and what to make of this: [README](README.md).
Held-out episodes are sampled at temperature 1. Of a seed: success with Wilson's 95 % interval. Over seeds: the mean with a
95 % bootstrap interval over seeds and episodes; differences are paired by episode."""


def page(outcomes: Sequence[Outcome]) -> str:
    """All experiments that there are outcomes of, in their order."""
    names = [name for name in EXPERIMENTS if any(outcome.experiment == name for outcome in outcomes)]
    cpu_s = sum(outcome.cpu_s for outcome in outcomes)
    seeds = len({outcome.seed for outcome in outcomes})
    parts = [HEAD, f"{seeds} seeds, {cpu_s:.0f} s of processor time in all."]
    for name in names:
        here = [outcome for outcome in outcomes if outcome.experiment == name]
        batches = max((len(numbers) for outcome in here for numbers in outcome.curve.values()), default=0)
        parts += [f"## {name}", f"{batches} batches of training an arm."]
        parts += [table(here), shapes(name, here), f"![{name}]({name}.png)"]
    return "\n\n".join(parts) + "\n"


def table(outcomes: Sequence[Outcome]) -> str:
    """One row an arm: success a seed and over all, then tokens, process score and processor time."""
    seeds = sorted({outcome.seed for outcome in outcomes})
    head = ["arm", *(f"seed {seed}" for seed in seeds), "success", "tokens said", "turns right", "CPU s a seed"]
    rows = [head, ["---"] * len(head)]
    for arm in dict.fromkeys(outcome.arm for outcome in outcomes):
        mine = {outcome.seed: outcome for outcome in outcomes if outcome.arm == arm}
        of_seeds = [_wilson(mine[seed]) if seed in mine else "-" for seed in seeds]
        numbers = [str(pooled(outcomes, arm, "success"))]
        numbers += [f"{pooled(outcomes, arm, number).mean:.1f}" for number in ("tokens", "process")]
        rows.append([arm, *of_seeds, *numbers, f"{sum(each.cpu_s for each in mine.values()) / len(mine):.0f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shapes(name: str, outcomes: list[Outcome]) -> str:
    """What should be seen here, and whether it was."""
    return "\n".join(_shape(each, outcomes) for each in SHAPES if each.experiment == name)


def appeared(outcomes: list[Outcome]) -> bool:
    """Whether every shape of the experiments at hand is there."""
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.experiment, []).append(outcome)
    return all(shape.wanted(shape.of(by_name[shape.experiment])) for shape in SHAPES if shape.experiment in by_name)


def _shape(shape: Shape, outcomes: list[Outcome]) -> str:
    found = shape.of(outcomes)
    verdict = "appeared" if shape.wanted(found) else "did **not** appear"
    return f"- {shape.says}: {found}, {verdict}"


def _wilson(outcome: Outcome) -> str:
    found = rate(outcome.held_out.success)
    return "-" if found is None else f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"

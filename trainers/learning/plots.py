"""Plots of training: one file an experiment, one line an arm, the mean over seeds with the range of the seeds behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from agentgym.trainers.learning.trial import Outcome

WINDOW = 5
DRAWN = {"chain": ("success", "tokens")}


def draw(name: str, outcomes: Sequence[Outcome], folder: Path) -> Path:
    """`folder`/`name`.png: means over the last five batches of training."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    numbers = DRAWN.get(name, ("success",))
    figure, axes = pyplot.subplots(1, len(numbers), figsize=(5.5 * len(numbers), 3.6), squeeze=False)
    arms = list(dict.fromkeys(outcome.arm for outcome in outcomes if outcome.curve))
    for axis, number in zip(axes[0], numbers, strict=True):
        for arm in arms:
            curves = [smooth(outcome.curve[number]) for outcome in outcomes if outcome.arm == arm]
            batches = list(zip(*curves, strict=True))
            along = range(1, len(batches) + 1)
            axis.fill_between(along, [min(each) for each in batches], [max(each) for each in batches], alpha=0.2)
            axis.plot(along, [fmean(each) for each in batches], label=arm)
        axis.set(
            xlabel="batches", ylabel=f"{number}, training episodes", ylim=(0, 1.02 if number == "success" else None)
        )
        axis.grid(alpha=0.3)
    axes[0][0].legend()
    figure.tight_layout()
    figure.savefig(folder / f"{name}.png", dpi=90, metadata={"Software": None})
    pyplot.close(figure)
    return folder / f"{name}.png"


def smooth(values: Sequence[float]) -> list[float]:
    """Each the mean of itself and the four before it."""
    return [fmean(values[max(0, index - WINDOW + 1) : index + 1]) for index in range(len(values))]

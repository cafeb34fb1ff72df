"""`python -m agentgym.trainers.learning.swe`: D-RA against G-RA on `swe/bugs-v0`, from the demo's controls. Hours.

It runs the controls (`trainers/demo/controls.py`) and reads their arms by pairs: what gating adds to direct
accumulation at the same process weight, and what the reward adds to a shuffled one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from agentgym.errors import UsageError
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.controls import ARMS, Control, run_controls
from agentgym.trainers.learning.intervals import Interval, apart

CONTROLS = TypeAdapter(list[Control])
PAIRS = (("gated", "direct"), ("gated, process x5", "direct, process x5"), ("gated", "gated, shuffled"))
RATES = ("completion", "modification", "resolve")

HEAD = """# Results of `make learn-swe`: G-RA and D-RA on `swe/bugs-v0`

Written by the command; do not edit. [README](README.md) says where the numbers are from. Held-out episodes, sampled at
temperature 1; means over seeds with 95 % bootstrap intervals over seeds and episodes. Differences are not paired by episode."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agentgym.trainers.learning.swe", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/learning"), help="folder of the page")
    parser.add_argument("--runs", type=Path, default=Path("runs/learn-swe"), help="folder of models and episodes")
    parser.add_argument("--again", action="store_true", help="write the page anew from the folder's swe.json")
    asked = parser.parse_args(argv)
    stored = asked.out / "swe.json"
    if asked.again and not stored.is_file():
        parser.error(f"there is no {stored}: run it without --again first")
    try:
        found = (
            CONTROLS.validate_json(stored.read_bytes()) if asked.again else run_controls(DemoConfig(folder=asked.runs))
        )
    except UsageError as error:
        parser.error(str(error))
    write(asked.out, found)
    print(f"wrote {asked.out / 'swe.md'}")
    return 0


def write(folder: Path, found: list[Control]) -> None:
    """`swe.json`, `swe.md` and `swe.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "swe.json").write_bytes(CONTROLS.dump_json(found))
    (folder / "swe.md").write_text(page(found))
    _draw(found, folder / "swe.png")


def page(found: Sequence[Control]) -> str:
    """Rates by arm, and differences by pair."""
    seeds = len({control.seed for control in found})
    arms = ["| arm | completion | modification | resolve | outcome, last quarter |", "| --- | --- | --- | --- | --- |"]
    for name in ("warm start", *ARMS):
        rates = [str(of_arm(found, name, rate)) for rate in RATES]
        outcomes = [control.outcome[1] for control in found if control.arm.name == name]
        paid = "-" if name == "warm start" else f"{sum(outcomes) / len(outcomes):.2f}"
        arms.append(f"| {name} | {' | '.join(rates)} | {paid} |")
    pairs = ["| difference | completion | modification | resolve |", "| --- | --- | --- | --- |"]
    for better, worse in PAIRS:
        differences = [str(apart(_episodes(found, better, rate), _episodes(found, worse, rate))) for rate in RATES]
        pairs.append(f"| {better} less {worse} | {' | '.join(differences)} |")
    return "\n\n".join([HEAD, f"{seeds} seeds.", "\n".join(arms), "\n".join(pairs), "![swe](swe.png)"]) + "\n"


def of_arm(found: Sequence[Control], name: str, rate: str) -> Interval:
    episodes = _episodes(found, name, rate)
    return apart(episodes, [[0.0]] * len(episodes))


def _episodes(found: Sequence[Control], name: str, rate: str) -> list[list[float]]:
    """What each seed's episodes came to, from their number and mean."""
    rates = [getattr(control.arm, rate) for control in found if control.arm.name == name]
    counts = [(round(each.mean * each.n), each.n) for each in rates]
    return [[1.0] * right + [0.0] * (n - right) for right, n in counts]


def _draw(found: Sequence[Control], path: Path) -> None:
    """Resolve by arm: the mean with its interval, and a dot a seed."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.5, 3.2))
    names = ["warm start", *ARMS]
    for place, name in enumerate(reversed(names)):
        interval = of_arm(found, name, "resolve")
        axis.plot([interval.low, interval.high], [place, place], color="tab:blue")
        axis.plot(interval.mean, place, "|", markersize=14, color="tab:blue")
        dots = [control.arm.resolve.mean for control in found if control.arm.name == name]
        axis.plot(dots, [place] * len(dots), "o", color="tab:orange", alpha=0.7)
    axis.set(yticks=range(len(names)), yticklabels=names[::-1], xlabel="resolve, held-out", xlim=(0, 1))
    axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90, metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())

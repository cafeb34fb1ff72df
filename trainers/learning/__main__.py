"""`python -m agentgym.trainers.learning [EXPERIMENT ...]`: run the experiments and write tables and plots.

Each seed of each experiment is a process of its own, as many at once as `--jobs`.  Exit code 1: a shape did not appear.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter

from agentgym.errors import UsageError
from agentgym.trainers.learning.experiments import EXPERIMENTS, chosen
from agentgym.trainers.learning.page import appeared, page
from agentgym.trainers.learning.plots import draw
from agentgym.trainers.learning.trial import Outcome, run

OUTCOMES = TypeAdapter(list[Outcome])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agentgym.trainers.learning", description=__doc__)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=f"of {', '.join(EXPERIMENTS)} (all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--out", type=Path, default=Path("docs/learning"), help="folder of the page")
    parser.add_argument("--smoke", action="store_true", help="one batch of everything, in which nothing is learnt")
    parser.add_argument("--again", action="store_true", help="write the page anew from the folder's results.json")
    asked = parser.parse_args(argv)
    try:
        names = [experiment.name for experiment in chosen(asked.experiments)]
        if asked.again:
            outcomes = _stored(asked.out)
            write(asked.out, outcomes)
        else:
            outcomes = _play(names, asked.seeds, asked.jobs, asked.smoke, asked.out)
    except UsageError as error:
        parser.error(str(error))
    print(f"wrote {asked.out / 'results.md'}")
    return 0 if appeared(outcomes) else 1


def write(folder: Path, outcomes: list[Outcome]) -> None:
    """`results.json`, `results.md` and a plot an experiment."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_bytes(OUTCOMES.dump_json(outcomes))
    for name in dict.fromkeys(outcome.experiment for outcome in outcomes):
        draw(name, [outcome for outcome in outcomes if outcome.experiment == name], folder)
    (folder / "results.md").write_text(page(outcomes))


def _play(names: Sequence[str], seeds: Sequence[int], jobs: int, smoke: bool, folder: Path) -> list[Outcome]:
    """All outcomes in order; what there is so far is written whenever a seed is done."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes; this one computes nothing
    made: dict[tuple[str, int], list[Outcome]] = {}
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(one, name, seed, smoke) for name in names for seed in seeds]):
            found = future.result()
            made[found[0].experiment, found[0].seed] = found
            outcomes = [each for name in names for seed in seeds for each in made.get((name, seed), ())]
            write(folder, outcomes)
    return outcomes


def one(name: str, seed: int, smoke: bool) -> list[Outcome]:
    """One seed of one experiment, told as it goes on. By name, as a spec does not travel between processes."""
    outcomes = []
    (experiment,) = chosen([name], smoke)
    for outcome in run(experiment, seed):
        outcomes.append(outcome)
        success = fmean(outcome.held_out.success)
        print(f"{name}, seed {seed}, {outcome.arm}: success {success:.2f}, {outcome.cpu_s:.0f} CPU s", flush=True)
    return outcomes


def _stored(folder: Path) -> list[Outcome]:
    if not (folder / "results.json").is_file():
        raise UsageError(f"{folder} holds no results.json: run it without --again first")
    return OUTCOMES.validate_json((folder / "results.json").read_bytes())


if __name__ == "__main__":
    sys.exit(main())

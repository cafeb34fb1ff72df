"""Runs of experiments: each seed of each in a process of its own, and what they leave in a folder. No learning here.

Not in `__main__`: a process of the pool could not find it there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter

from agentgym.errors import UsageError
from agentgym.trainers.learning.experiments import chosen
from agentgym.trainers.learning.page import page
from agentgym.trainers.learning.plots import draw
from agentgym.trainers.learning.trial import Outcome, run

OUTCOMES = TypeAdapter(list[Outcome])


def write(folder: Path, outcomes: list[Outcome]) -> None:
    """`results.json`, `results.md` and a plot an experiment."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_bytes(OUTCOMES.dump_json(outcomes))
    for name in dict.fromkeys(outcome.experiment for outcome in outcomes):
        draw(name, [outcome for outcome in outcomes if outcome.experiment == name], folder)
    (folder / "results.md").write_text(page(outcomes))


def play(names: Sequence[str], seeds: Sequence[int], jobs: int, smoke: bool, folder: Path) -> list[Outcome]:
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


def stored(folder: Path) -> list[Outcome]:
    """What a run wrote. Raises UsageError if there is nothing."""
    if not (folder / "results.json").is_file():
        raise UsageError(f"{folder} holds no results.json: run it without --again first")
    return OUTCOMES.validate_json((folder / "results.json").read_bytes())

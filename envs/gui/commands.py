"""`agentgym gui`: screens with their truth made ahead, ScreenSpot's report of a run."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from agentgym.envs.gui.screens.shards import SHARD, Recipe, Shards
from agentgym.envs.gui.screens.sources import SOURCES, Source
from agentgym.envs.gui.screenspot import Form, load, report, verdicts_of
from agentgym.envs.web.browser.pool import Browsers
from agentgym.errors import UsageError
from agentgym.store import Store
from agentgym.tasks import SPLITS


def main(arguments: Sequence[str]) -> None:
    """Run a command and print what it says, one JSON object. Raises what it raises."""
    given = _parser().parse_args(arguments)
    print(json.dumps(given.run(given), indent=1))


def _screens(given: argparse.Namespace) -> Any:
    chosen = given.sources.split(",")
    if unknown := sorted(set(chosen) - set(SOURCES)):
        raise UsageError(f"there is no source {', '.join(unknown)}: there are {', '.join(SOURCES)}")
    sources: tuple[Source, ...] = tuple(each for each in SOURCES if each in chosen)
    return asyncio.run(_made(Shards(Recipe(sources, given.seed, given.negatives)), given.split, given.samples))


async def _made(shards: Shards, split: str, samples: int) -> dict[str, Any]:
    """Make what is not there yet of the first `samples` of a split; where it is, and what it is of."""
    browsers = Browsers(1, 8)
    kinds: Counter[str] = Counter()
    sites: Counter[str] = Counter()
    try:
        for n in range(-(-samples // SHARD)):
            made = await shards.samples(split, n, browsers)
            kinds.update(each.kind for each in made)
            sites.update(each.site for each in made)
    finally:
        await browsers.close()
    where = str(shards.place(split, 0).parent)
    return {"folder": where, "split": split, "samples": kinds.total(), "kinds": kinds, "sites": sites}


def _screenspot(given: argparse.Namespace) -> Any:
    if not (given.store / "trajectories.jsonl").is_file():
        raise UsageError(f"{given.store} is no run's folder: it has no trajectories.jsonl")
    items = load(given.file, given.images or given.file[0].parent, given.form)
    return report(items, verdicts_of(Store(given.store)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentgym gui", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    out = commands.add_parser("screens", help="Make screens with their truth, and say where they are.")
    out.set_defaults(run=_screens)
    out.add_argument("--split", choices=SPLITS, default="train")
    out.add_argument("--samples", type=int, default=1_000)
    out.add_argument("--sources", default=",".join(SOURCES), help="of npm, miniwob, shop (default: all)")
    out.add_argument("--seed", type=int, default=0)
    out.add_argument("--negatives", type=float, default=0.0, help="the share that asks for what is not there")

    out = commands.add_parser("screenspot", help="Accuracy by platform and kind of a run on ScreenSpot's tasks.")
    out.set_defaults(run=_screenspot)
    out.add_argument("store", type=Path, help="the run's folder")
    out.add_argument("file", type=Path, nargs="+", help="the benchmark's files")
    out.add_argument("--images", type=Path, help="the folder of its pictures (default: that of the first file)")
    out.add_argument("--form", choices=get_args(Form), help="how the files write boxes (default: told by their fields)")
    return parser

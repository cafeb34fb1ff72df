"""GUI screens: how fast samples come, what they cost, what they are like, and whether a second making gives the same.

    python benchmarks/gui.py --samples 10000 --sources npm,miniwob,shop
    python benchmarks/gui.py --samples 400 --twice      # made again from scratch, compared byte by byte

Made anew in a cache of its own; packages are taken from the usual one. CPU seconds are this process's and those of its browsers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
from collections import Counter
from pathlib import Path
from statistics import mean, median
from time import perf_counter

from agentgym.envs.gui.screens import generate as generating
from agentgym.envs.gui.screens.generate import Recipe, Shard, generate
from agentgym.envs.gui.screens.shards import SHARD
from agentgym.envs.gui.screens.sources import SOURCES
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.search import Index

SHARES = {"train": 8, "validation": 1, "test": 1}


async def make(recipe: Recipe, samples: int) -> list[tuple[str, int, Shard]]:
    """Shards of all splits, eight to one to one; pictures are dropped, their hashes stay in the samples."""
    shards = -(-samples // SHARD)
    plan = [(split, n) for split, share in SHARES.items() for n in range(max(1, shards * share // 10))]
    browsers, made = Browsers(1, 8), list[tuple[str, int, Shard]]()
    index = Index(catalogue().products.values())
    try:
        for split, n in plan:
            shard = await generate(recipe, split, n, browsers, index)
            print(f"{split}-{n}: {shard.unfit.total()} unfit", file=sys.stderr, flush=True)
            weight = sum(len(screen.png) for screen in shard.screens)
            made.append((split, weight, shard))
            shard.screens.clear()
    finally:
        await browsers.close()
    return made


def cpu() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def told(made: list[tuple[str, int, Shard]], wall: float, spent: float) -> dict[str, object]:
    """What came of it."""
    samples = [sample for _, _, shard in made for sample in shard.samples]
    boxes = [
        (each.box[2] - each.box[0]) * (each.box[3] - each.box[1]) / (each.size[0] * each.size[1])
        for each in samples
        if each.box
    ]
    counted = {
        name: Counter(getattr(each, name) for each in samples).most_common()
        for name in ("split", "kind", "site", "language")
    }
    unfit = sum((shard.unfit for _, _, shard in made), Counter())
    return {
        "samples": len(samples), "screens": len({each.image for each in samples}), "megabytes": round(sum(weight for _, weight, _ in made) / 1e6, 1),
        "wall_s": round(wall, 1), "cpu_s": round(spent, 1), "samples_a_s": round(len(samples) / wall, 1),
        "cpu_ms_a_sample": round(1000 * spent / len(samples), 2),
        "instructions": len({each.instruction for each in samples}),
        "area_mean": round(mean(boxes), 4), "area_median": round(median(boxes), 5),
        "how": Counter(each.meaning["how"] for each in samples).most_common(), "unfit": unfit.most_common(8), **counted,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--sources", default=",".join(SOURCES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--window", type=int, default=(os.cpu_count() or 1) + 1, help="pages open at once")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    generating.WINDOW = given.window
    recipe = Recipe(tuple(each for each in SOURCES if each in given.sources.split(",")), given.seed)
    start, before = perf_counter(), cpu()
    made = asyncio.run(make(recipe, given.samples))
    report = told(made, perf_counter() - start, cpu() - before)
    if given.twice:
        again = asyncio.run(make(recipe, given.samples))
        pairs = [
            (a, b)
            for (_, _, one), (_, _, other) in zip(made, again, strict=True)
            for a, b in zip(one.samples, other.samples, strict=True)
        ]
        report["differ"] = sum(a != b for a, b in pairs)
        report["pictures_differ"] = len({a.image for a, b in pairs if a.image != b.image})
        report["where"] = Counter(f"{a.site} {a.page}" for a, b in pairs if a != b).most_common(8)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()

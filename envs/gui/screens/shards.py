"""Samples on disk: shards in the cache, by what they depend on, made when one is asked for. The door to all of this folder."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from agentgym.envs.gui.screens.candidates import Candidate
from agentgym.envs.gui.screens.generate import SHARD, Recipe, Shard, digest, generate
from agentgym.envs.gui.screens.packages import PACKAGES
from agentgym.envs.gui.screens.samples import Sample
from agentgym.envs.swe.cache import cache_dir, publish
from agentgym.envs.web.browser.pool import Browsers
from agentgym.errors import TaskError
from agentgym.seeds import content_hash

LAYOUT = "1"
"""Of the files; part of their key."""


class Shards:
    """The shards of one recipe. `folder(split, number)` has them on disk, made if they are not there yet.

    In a folder: "samples.jsonl" (`Sample`), "screens.jsonl" (what is on each picture), "images/SHA-256.png", "made.json".
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._making: dict[Path, asyncio.Lock] = {}

    @property
    def key(self) -> str:
        """What names the recipe: its options, the packages that it may use, and this folder's code."""
        pinned = [[each.name, each.version, each.sha512] for each in PACKAGES]
        return content_hash([LAYOUT, asdict(self.recipe), pinned if "npm" in self.recipe.sources else [], code()])[:32]

    def place(self, split: str, number: int) -> Path:
        """Where the shard is, or will be."""
        return cache_dir() / "gui" / self.key / f"{split}-{number}"

    async def samples(self, split: str, number: int, browsers: Browsers) -> tuple[Sample, ...]:
        """The samples of a shard. Raises TaskError, UsageError (no Chromium, no cache), SandboxError."""
        return _read(await self.folder(split, number, browsers))

    async def folder(self, split: str, number: int, browsers: Browsers) -> Path:
        place = self.place(split, number)
        async with self._making.setdefault(place, asyncio.Lock()):
            if not place.is_dir():
                shard = await generate(self.recipe, split, number, browsers)
                await asyncio.to_thread(publish, place, lambda folder: write(shard, folder))
        return place


def write(shard: Shard, folder: Path) -> None:
    """Write a shard's files into `folder`."""
    (folder / "images").mkdir()
    for screen in shard.screens:
        (folder / "images" / f"{digest(screen)}.png").write_bytes(screen.png)
    _lines(folder / "samples.jsonl", [asdict(each) for each in shard.samples])
    screens = [{"image": digest(each), "scale": each.variant.scale, "candidates": [asdict(one) for one in each.candidates]} for each in shard.screens]  # fmt: skip
    _lines(folder / "screens.jsonl", screens)
    made = {"samples": len(shard.samples), "screens": len(shard.screens), "unfit": dict(sorted(shard.unfit.items()))}
    (folder / "made.json").write_text(json.dumps(made, indent=1))


def candidates_of(folder: Path, image: str) -> list[Candidate]:
    """What is on a picture of a shard. Raises TaskError if it has no such picture."""
    for line in (folder / "screens.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["image"] == image:
            return [_candidate(each) for each in record["candidates"]]
    raise TaskError(f"{folder} has no picture {image}")


@lru_cache(maxsize=256)
def _read(folder: Path) -> tuple[Sample, ...]:
    samples = []
    for line in (folder / "samples.jsonl").read_text().splitlines():
        record: dict[str, Any] = json.loads(line)
        box, also = record["box"], tuple(tuple(each) for each in record["also"])
        record |= {"size": tuple(record["size"]), "box": None if box is None else tuple(box), "also": also}
        samples.append(Sample(**record))
    return tuple(samples)


def _candidate(record: dict[str, Any]) -> Candidate:
    also, groups = tuple(map(tuple, record["also"])), tuple(map(tuple, record["groups"]))
    return Candidate(**{**record, "box": tuple(record["box"]), "also": also, "groups": groups})


def _lines(file: Path, records: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records), "utf-8")


@cache
def code() -> str:
    """A digest of this folder's files: other code, other samples."""
    sha = hashlib.sha256()
    for file in sorted(Path(__file__).parent.iterdir()):
        if file.suffix in (".py", ".js", ".toml"):
            sha.update(file.name.encode() + file.read_bytes())
    return sha.hexdigest()


__all__ = ["SHARD", "Recipe", "Sample", "Shards"]

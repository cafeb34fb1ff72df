"""MiniWobTasks: a task is a page of MiniWoB++ and a seed for it. What is on the pages is the wheel's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from agentgym.envs.web.miniwob.config import MiniWobConfig
from agentgym.envs.web.miniwob.names import NAMES
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.errors import TaskError, UsageError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ENV = "web/miniwob-v0"
HELD_OUT = 4
"""With `hold_out="tasks"`, one page of so many is never trained on."""
_FIRST_SEED = {"train": 0, "validation": 1_000_000, "test": 2_000_000}


def pages() -> Path:
    """The folder of the pages. Raises UsageError if the wheel is not installed."""
    found = find_spec("miniwob")  # without importing it, which would want Selenium
    for place in (found.submodule_search_locations or []) if found else []:
        if (folder := Path(place) / "html").is_dir():
            return folder
    raise UsageError(
        "the pages of MiniWoB++ are missing: pip install 'agentgym[web]' (or pip install --no-deps miniwob)"
    )


def held_out(name: str) -> bool:
    """Whether a page is one of those that `hold_out="tasks"` keeps for evaluation. Fixed, whatever pages are configured."""
    return derive_seed("miniwob held out", name) % HELD_OUT == 0


class MiniWobTasks(TaskSet):
    """Ids are "name/seed". Seeds of the splits are disjoint; in a split's own order all pages come with their first seed,
    those with a solver first, then all with their second."""

    version = "0"

    def __init__(self, config: MiniWobConfig, runtime: Runtime) -> None:
        if unknown := sorted(set(config.names) - set(NAMES)):
            raise UsageError(f"MiniWoB++ has no {', '.join(unknown)}; it has {', '.join(sorted(NAMES))}")
        pages()
        self._config = config
        ordered = [*SOLVERS, *(name for name in NAMES if name not in SOLVERS)]
        chosen = [name for name in ordered if not config.names or name in config.names]
        by_task = config.hold_out == "tasks"
        self._names = {
            split: [name for name in chosen if not by_task or held_out(name) == (split != "train")] for split in SPLITS
        }

    def size(self, split: str) -> int:
        return len(self._names.get(split, ())) * self._seeds(split)

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        for id in self._ids(split, seed):
            yield id

    async def get(self, id: str) -> Task:
        name, _, number = id.partition("/")
        for split in SPLITS:
            if name in self._names[split] and number.isdecimal() and str(int(number)) == number:
                at = int(number) - _FIRST_SEED[split]
                if 0 <= at < self._seeds(split):
                    mode = "default" if split == "train" else "test"
                    return Task(id, ENV, {"page": name, "seed": int(number), "mode": mode}, {}, split, (name,))
        raise TaskError(
            f"no task {id!r} here: ids are a page of MiniWoB++ and a seed of the splits, like click-button/0"
        )

    def _ids(self, split: str, seed: int | None) -> Iterator[str]:
        names = self._names.get(split, [])
        first = _FIRST_SEED.get(split, 0)
        if seed is None:
            yield from (f"{name}/{first + n}" for n in range(self._seeds(split)) for name in names)
            return
        rng = Random(seed)
        for n in rng.sample(range(self._seeds(split)), self._seeds(split)):
            yield from (f"{name}/{first + n}" for name in rng.sample(names, len(names)))

    def _seeds(self, split: str) -> int:
        return self._config.train_seeds if split == "train" else self._config.test_seeds

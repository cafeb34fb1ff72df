"""`prover/coq-stdlib-v0`: theorems of the library on this machine. Names and hashes are committed, text is read here.

The header is the file up to the statement: what came before can be used, the theorem's own file can not be required.
Splits go by file, so that no lemma of a held-out file was ever a step in training.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from agentgym.envs.prover.config import ProverConfig
from agentgym.envs.prover.coq import library
from agentgym.errors import TaskError
from agentgym.runtime import Runtime
from agentgym.seeds import content_hash
from agentgym.tasks import Task, TaskSet

ENV = "prover/coq-stdlib-v0"
_DATA = Path(__file__).parent / "data"
_BANDS = ((1, "1-step"), (5, "2-5-steps"), (20, "6-20-steps"))
_SHARES = (("test", 15), ("validation", 10), ("train", 75))


@dataclass(slots=True, frozen=True)
class Listed:
    """One line of the list. `at` is where its statement begins in the file; `solved`: by which automation, in one step."""

    module: str
    name: str
    at: int
    steps: int
    solved: tuple[str, ...]


class StdlibTasks(TaskSet):
    """Tasks "Coq.Arith.Even:even_or_odd". Raises TaskError where Coq, its sources or a list for its version are missing."""

    version = "1"

    def __init__(self, config: ProverConfig, runtime: Runtime) -> None:
        path = config.tasks or _DATA / f"coq-stdlib-{library.coq_version()}.json"
        self._files, self._listed = _read(path)
        self._ids: dict[str, list[str]] = {split: [] for split, _ in _SHARES}
        for id, row in self._listed.items():
            self._ids[split_of(row.module)].append(id)

    def size(self, split: str) -> int:
        return len(self._ids.get(split, ()))

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        ids = list(self._ids.get(split, ()))
        if seed is not None:
            Random(seed).shuffle(ids)
        for id in ids:
            yield id

    async def get(self, id: str) -> Task:
        row = self._listed.get(id)
        if row is None:
            raise TaskError(f"no task {id!r}: ids are like Coq.Bool.Bool:orb_true_r, and there are {len(self._listed)}")
        file = library.read(row.module)
        if file.sha256 != (wanted := self._files[row.module]["sha256"]):
            raise TaskError(
                f"{row.module} is another text here ({file.sha256[:12]}) than on the list ({wanted[:12]}): "
                "make a list of your own with `python -m agentgym.envs.prover.coq.generate`"
            )
        found = [theorem for theorem in file.theorems if theorem.header_end == row.at]
        if not found:
            raise TaskError(f"{id}: no theorem begins at character {row.at} of its file")
        theorem = found[0]
        payload = {
            "module": row.module,
            "name": theorem.name,
            "header": file.text[: row.at],
            "statement": theorem.statement,
        }
        secret = {"steps": list(theorem.steps), "assumptions": self._files[row.module]["assumptions"]}
        return Task(id, ENV, payload, secret, split_of(row.module), _tags(row))


def split_of(module: str) -> str:
    """The split of a file, by the hash of its name."""
    place = int(content_hash(["coq-stdlib", module])[:8], 16) % 100
    for split, share in _SHARES:
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares make up less than 100")


def _tags(row: Listed) -> tuple[str, ...]:
    band = next((name for most, name in _BANDS if row.steps <= most), "over-20-steps")
    return (row.module.split(".")[1], band, "automatic" if row.solved else "manual")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Listed]]:
    try:
        files: dict[str, Any] = json.loads(path.read_text("utf-8"))["files"]
        listed: dict[str, Listed] = {}
        for module, file in files.items():
            for each in file["theorems"]:
                row = Listed(module, each["name"], each["at"], each["steps"], tuple(each["solved"]))
                id = f"{module}:{row.name}"
                listed[f"{id}@{row.at}" if id in listed else id] = row
    except FileNotFoundError:
        raise TaskError(
            f"there is no list of theorems for Coq {library.coq_version()} ({path}): make one with "
            "`python -m agentgym.envs.prover.coq.generate LIST.json` and give it as the option `tasks`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaskError(f"{path} is no list of theorems: {error!r}") from None
    return files, listed

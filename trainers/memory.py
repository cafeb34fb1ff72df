"""What a run remembers besides weights (controllers, the book of tasks, costs), saved with its checkpoints as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from agentgym.errors import UsageError

FILE = "agentgym.json"


class Remembers:
    """Mixin of what has a memory: the fields named in `memory`, as plain values that JSON can say."""

    __slots__ = ()
    memory: ClassVar[tuple[str, ...]] = ()

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.memory}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in self.memory:
            setattr(self, name, state[name])


def save(folder: Path, run: Mapping[str, Any], parts: Mapping[str, Remembers]) -> None:
    """Write the state of `parts`, by name, beside the weights. run: what must be the same when it is read again."""
    folder.mkdir(parents=True, exist_ok=True)
    states = {name: part.state() for name, part in parts.items()}
    (folder / FILE).write_text(json.dumps({"run": dict(run), "memory": states}, indent=1) + "\n")


def load(folder: Path, run: Mapping[str, Any], parts: Mapping[str, Remembers]) -> None:
    """Give `parts` the state that `save` wrote.

    Raises UsageError if nothing was written there, or by a run that differs from `run`, naming what differs.
    """
    file = folder / FILE
    if not file.is_file():
        raise UsageError(f"{folder} is not a checkpoint of a trainer of agentgym: it holds no {FILE}")
    found = json.loads(file.read_text())
    now = json.loads(json.dumps(dict(run)))
    if wrong := [name for name in now if found["run"].get(name) != now[name]]:
        said = "; ".join(f"{name} was {found['run'].get(name)!r}, is {now[name]!r}" for name in wrong)
        raise UsageError(f"{folder} was written by a run with another configuration: {said}")
    for name, part in parts.items():
        part.restore(found["memory"][name])

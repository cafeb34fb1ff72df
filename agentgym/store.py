"""Store: trajectories on disk as JSON lines, one appended the moment its episode ends; blobs as files beside it.

A run's folder holds `manifest.json` (see `manifest`), `trajectories.jsonl` and `blobs/<sha256>`.  It is append-only:
a line cut short by a crash is dropped at the next opening, and a later line replaces an earlier one of the same key.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from agentgym.errors import UsageError
from agentgym.types import SCHEMA, Blob, EpisodeKey, Message, Observation, Trajectory, Turn

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.I)


@cache
def _adapter() -> TypeAdapter[Trajectory]:
    return TypeAdapter(Trajectory)


class Store:
    """One run's trajectories. Opening makes the folder; `has` answers what is done, so that a run can be resumed."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "trajectories.jsonl"
        self._blobs = self.folder / "blobs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._done: dict[tuple[str, int], bool] = {}
        self._mend()
        for trajectory in self:
            self._remember(trajectory)

    def append(self, trajectory: Trajectory) -> None:
        """Write one trajectory, whole or not at all. Raises UsageError if the disk does not take it."""
        try:
            line = redact(_dump(self._with_blob_files(trajectory))) + b"\n"
            _append(self.path, line)
        except OSError as error:
            raise UsageError(
                f"{self.path} could not take another trajectory ({error.strerror}). All {len(self._done)} before "
                "it are safe: make room and resume the run."
            ) from error
        self._remember(trajectory)

    def has(self, key: EpisodeKey) -> bool:
        """Whether this (task, sample) has ended, other than by failure."""
        return self._done.get((key.task, key.sample), False)

    def __len__(self) -> int:
        return len(self._done)

    def __iter__(self) -> Iterator[Trajectory]:
        """The trajectories, the last one of each (task, sample), in the order of their lines."""
        last: dict[tuple[str, int], Trajectory] = {}
        for trajectory in self._lines():
            key = (trajectory.key.task, trajectory.key.sample)
            last.pop(key, None)
            last[key] = trajectory
        yield from last.values()

    def blob(self, digest: str) -> bytes:
        """The content of a blob. Raises KeyError if this store does not have it."""
        path = self._blobs / digest
        if not re.fullmatch(r"[0-9a-f]{64}", digest) or not path.is_file():
            raise KeyError(digest)
        return path.read_bytes()

    def _remember(self, trajectory: Trajectory) -> None:
        self._done[trajectory.key.task, trajectory.key.sample] = trajectory.status != "failed"

    def _lines(self) -> Iterator[Trajectory]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield self._parse(line, number)

    def _parse(self, line: bytes, number: int) -> Trajectory:
        where = f"{self.path}, line {number}"
        try:
            schema = json.loads(line).get("schema")
            if schema != SCHEMA:
                raise UsageError(f"{where}: schema {schema}, but this version of agentgym reads schema {SCHEMA}")
            return _adapter().validate_json(line)
        except (ValidationError, ValueError, AttributeError) as error:
            raise UsageError(f"{where}: not a trajectory: {str(error)[:300]}") from error

    def _mend(self) -> None:
        """Drop a last line that a crash cut short."""
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            content_end = file.seek(0, os.SEEK_END)
            while content_end:
                start = max(0, content_end - (1 << 16))
                file.seek(start)
                newline = file.read(content_end - start).rfind(b"\n")
                if newline >= 0:
                    file.truncate(start + newline + 1)
                    return
                content_end = start
            file.truncate(0)

    def _with_blob_files(self, trajectory: Trajectory) -> Trajectory:
        if not any(_has_blobs(message) for message in _messages(trajectory)):
            return trajectory
        return replace(
            trajectory,
            turns=[replace(turn, observation=self._observation(turn.observation)) for turn in trajectory.turns],
            final=self._observation(trajectory.final) if trajectory.final else None,
        )

    def _observation(self, observation: Observation) -> Observation:
        return replace(observation, messages=tuple(self._message(message) for message in observation.messages))

    def _message(self, message: Message) -> Message:
        if isinstance(message.content, str):
            return message
        parts = tuple(self._file(part) if isinstance(part, Blob) else part for part in message.content)
        return replace(message, content=parts)

    def _file(self, blob: Blob) -> Blob:
        if not blob.data:
            return blob
        digest = hashlib.sha256(blob.data).hexdigest()
        path = self._blobs / digest
        if not path.exists():
            self._blobs.mkdir(exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(blob.data)
            part.replace(path)
        return replace(blob, data=b"", digest=digest)


def _append(path: Path, line: bytes) -> None:
    """Unbuffered, for a buffer would try again to write its rest when the file closes."""
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(size)
            raise


def _dump(trajectory: Trajectory) -> bytes:
    try:
        return _adapter().dump_json(trajectory)
    except PydanticSerializationError:  # a lone surrogate, which a model can write and JSON in UTF-8 can not hold
        return _adapter().dump_json(_without_surrogates(trajectory))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_surrogates(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _without_surrogates(getattr(value, each.name)) for each in fields(value)})
    return value


def redact(line: bytes, environment: dict[str, str] | None = None) -> bytes:
    """`line` without the values of environment variables whose names say that they are secret."""
    for name, value in (os.environ if environment is None else environment).items():
        if len(value) >= 8 and _SECRET_NAME.search(name):
            for form in {value, json.dumps(value)[1:-1]}:
                line = line.replace(form.encode(), b"[redacted]")
    return line


def _messages(trajectory: Trajectory) -> Iterator[Message]:
    turns: list[Turn] = trajectory.turns
    for observation in [*(turn.observation for turn in turns), *([trajectory.final] if trajectory.final else [])]:
        yield from observation.messages


def _has_blobs(message: Message) -> bool:
    return not isinstance(message.content, str) and any(isinstance(part, Blob) for part in message.content)


def read_json(path: Path) -> Any:
    """A JSON file. Raises UsageError naming the file and line."""
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}, line {error.lineno}: {error.msg}") from error
    except OSError as error:
        raise UsageError(f"{path} can not be read: {error.strerror}") from error
